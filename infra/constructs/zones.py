"""The availability zones of a network: those that the options name, or the region's first two."""

from typing import Any

from infra.options import Options


def zones_of(options: Options) -> dict[str, Any]:
    """Return the arguments of `ec2.Vpc` that choose its zones."""
    return {"availability_zones": list(options.zones)} if options.zones else {"max_azs": 2}

"""Regions that lack what an option needs, as `regions.toml` lists them: refused before anything
is deployed, with the options to use instead.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from infra.options import Options

TABLE = Path(__file__).with_suffix(".toml")


class UnsupportedRegionError(Exception):
    """Raised when the region of a deployment lacks what its options need; says which to change."""


@dataclass(frozen=True)
class RegionLimit:
    """The regions where an option cannot be deployed, and what to do there."""

    id: str
    regions: Sequence[str]
    advice: str


def missing_regions() -> Mapping[str, Sequence[str]]:
    """Return the regions without a type of resource, by that type."""
    return dict(tomllib.loads(TABLE.read_text())["missing"])


def region_limits(options: Options) -> Iterator[RegionLimit]:
    """Yield the limits of what `options` choose."""
    missing = missing_regions()
    if options.file_search == "serverless":
        yield RegionLimit(
            "OpenSearchServerlessIsOffered",
            missing["AWS::OpenSearchServerless::CollectionGroup"],
            "OpenSearch Serverless is not offered in this region: deploy with "
            "-c file_search=domain (a fixed price) or -c file_search=off.",
        )
    if options.file_server:
        yield RegionLimit(
            "VpcOriginsAreOffered",
            missing["AWS::CloudFront::VpcOrigin"],
            "CloudFront has no VPC origins in this region: deploy with -c file_server=false.",
        )


def check_region(options: Options, region: str | None) -> None:
    """Raise `UnsupportedRegionError` if `region` is known and lacks what `options` need."""
    for limit in region_limits(options):
        if region in limit.regions:
            raise UnsupportedRegionError(f"{region}: {limit.advice}")

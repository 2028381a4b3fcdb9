"""CloudFormation warns of each resource that moto does not support, often and on stderr.

Those of the template need no support: bucket and queue policies, and parts of the REST API, which
`infra.local.rest_api` reads itself.
"""

import logging
from types import SimpleNamespace

from moto.cloudformation import parsing


def fix() -> None:
    parsing.warnings = SimpleNamespace(warn=_ignore)  # type: ignore[assignment,attr-defined]
    parsing.logger = logging.getLogger(f"{__name__}.moto")
    parsing.logger.setLevel(logging.ERROR)


def _ignore(*_: object, **__: object) -> None:
    """Print nothing."""

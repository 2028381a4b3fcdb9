"""Clients of AWS. They come from botocore, which pynamodb has loaded already: importing boto3 on
top of it would add a quarter to a cold start, for its S3 transfers that nothing here uses.
"""

from functools import cache
from typing import Any

from botocore.config import Config
from botocore.session import Session, get_session

_CONFIG = Config(
    connect_timeout=5,
    read_timeout=30,
    retries={"mode": "standard", "total_max_attempts": 6},
    tcp_keepalive=True,
)


@cache
def _session() -> Session:
    return get_session()


@cache
def client(service: str) -> Any:
    """The client of a service, made when it is first asked for."""
    return _session().create_client(service, config=_CONFIG)

"""Clients of AWS. They come from botocore, which pynamodb has loaded already: importing boto3 on
top of it would add a quarter to a cold start, for its S3 transfers that nothing here uses.
"""

import os
import threading
from functools import cache
from typing import Any, Literal

from botocore.config import Config
from botocore.session import Session, get_session

_CONFIG = Config(
    connect_timeout=5,
    read_timeout=30,
    retries={"mode": "standard", "total_max_attempts": 6},
    tcp_keepalive=True,
)
_EMULATORS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
_MAKING = threading.Lock()  # clients are safe to share among threads, the session is not


@cache
def _session() -> Session:
    return get_session()


@cache
def client(service: str, config: Config | None = None) -> Any:
    """Return the client of a service, made on first use; `config` overrides the defaults here."""
    ours = _CONFIG.merge(_s3_config()) if service == "s3" else _CONFIG
    with _MAKING:
        return _session().create_client(service, config=ours.merge(config or Config()))


def _s3_config() -> Config:
    """Address a bucket at its region's host, which alone takes presigned URLs at any time.

    S3's global host redirects to that of a new bucket, which is not the host that was signed, and
    refuses the buckets of regions opened since 2019. An emulator has no host for each bucket.
    """
    emulated = any(name in os.environ for name in _EMULATORS)
    style: Literal["path", "virtual"] = "path" if emulated else "virtual"
    return Config(
        signature_version="s3v4",
        s3={"addressing_style": style, "us_east_1_regional_endpoint": "regional"},
    )

"""Clients of AWS. They come from botocore, which pynamodb has loaded already: importing boto3 on
top of it would add a quarter to a cold start, for its S3 transfers that nothing here uses.
"""

import threading
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
# Presigned URLs would else be of version 2, which newer regions refuse.
_S3_CONFIG = _CONFIG.merge(Config(signature_version="s3v4"))
_MAKING = threading.Lock()  # clients are safe to share among threads, the session is not


@cache
def _session() -> Session:
    return get_session()


@cache
def client(service: str, config: Config | None = None) -> Any:
    """Return the client of a service, made on first use; `config` overrides the defaults here."""
    ours = _S3_CONFIG if service == "s3" else _CONFIG
    with _MAKING:
        return _session().create_client(service, config=ours.merge(config or Config()))

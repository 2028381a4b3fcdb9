"""Connect to OpenSearch: with signed requests on AWS, without a login elsewhere."""

from typing import Literal

from botocore.credentials import Credentials
from botocore.session import get_session
from opensearchpy import OpenSearch, Urllib3AWSV4SignerAuth, Urllib3HttpConnection

Service = Literal["aoss", "es"]
Dialect = Literal["serverless", "domain", "node"]

WAKING_SECONDS = 60  # a Serverless collection that was idle takes 10 to 30 for its first answer


def dialect_of(endpoint: str) -> Dialect:
    """Return the dialect of `endpoint`, by its address.

    NextGen collections are at `https://<id>.aoss.<region>.on.aws`, Classic ones at
    `https://<id>.<region>.aoss.amazonaws.com`. Every https endpoint is taken to be on AWS.
    """
    if not endpoint.startswith("https:"):
        return "node"
    return "serverless" if ".aoss." in endpoint else "domain"


def connect(
    endpoint: str,
    *,
    credentials: Credentials | None = None,
    region: str = "",
    service: Service = "aoss",
) -> OpenSearch:
    """Return a client of `endpoint` that signs its requests if there are credentials.

    The signature covers `x-amz-content-sha256`, without which Serverless answers 403. Do not
    compress bodies for Serverless, as their hash is not verified in the form that was signed.
    https://github.com/zilliztech/VectorDBBench/pull/802
    """
    signer = Urllib3AWSV4SignerAuth(credentials, region, service) if credentials else None
    return OpenSearch(
        [endpoint],
        http_auth=signer,
        connection_class=Urllib3HttpConnection,
        http_compress=not (signer and service == "aoss"),
        timeout=WAKING_SECONDS,
        max_retries=4,
        retry_on_timeout=True,
        retry_on_status=(429, 502, 503, 504),
    )


def connect_signed(endpoint: str) -> OpenSearch:
    """Return a client of a collection or domain, with the credentials of this process."""
    session = get_session()
    service: Service = "aoss" if dialect_of(endpoint) == "serverless" else "es"
    credentials = session.get_credentials()
    region = session.get_config_variable("region")
    return connect(endpoint, credentials=credentials, region=region, service=service)

"""What OpenSearch Serverless refuses, in its own words: one rule each, with where it is known from.

They are those of vector search collections, Classic and NextGen together: what one of both refuses
is refused here.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from typing import Any

from tests.support.opensearch.exchange import Answer, Request

Bulk = list[tuple[str, dict[str, Any], dict[str, Any] | None]]

# The operations of vector search collections; reads are listed as GET, and clients POST them.
# https://docs.aws.amazon.com/opensearch-service/latest/developerguide/serverless-genref.html
# https://docs.aws.amazon.com/opensearch-service/latest/developerguide/serverless-pit.html
INDEX, ID = r"/[^/_][^/]*", r"/[^/]+"
OPERATIONS = [
    rf"PUT {INDEX}",
    rf"(GET|HEAD|DELETE) {INDEX}",
    rf"GET {INDEX}/(_mappings?|_settings?)",
    rf"PUT {INDEX}/(_mapping|_settings)",
    rf"POST ({INDEX})?/_bulk",
    rf"POST {INDEX}/_doc",
    rf"(GET|HEAD|DELETE) {INDEX}/_doc{ID}",
    rf"(GET|POST) ({INDEX})?/(_search|_msearch|_count|_mget|_field_caps)",
    rf"GET {INDEX}/(_explain|_source){ID}",
    rf"POST {INDEX}/_search/point_in_time",
    "DELETE /_search/point_in_time",
    "GET /_cat/indices",
]
# Those with an id of the client's own are there, but for search collections only (ibidem).
OWN_ID = re.compile(rf"(PUT|POST) {INDEX}/(_doc|_create|_update){ID}")

# https://github.com/langchain-ai/langchainjs/issues/4346
# https://github.com/opensearch-project/opensearch-py/issues/792
# AWS also says that NextGen takes such ids, and that it does not:
# https://docs.aws.amazon.com/opensearch-service/latest/developerguide/serverless-vector-search.html
# https://docs.aws.amazon.com/solutions/latest/migration-assistant-for-amazon-opensearch-service/mts-collection-types.html
DOCUMENT_ID = "Document ID is not supported in create/index operation request"


def refused(request: Request) -> Answer | None:
    """Return the refusal of the whole request, if it is refused."""
    rules = (unsigned, changed_body, unknown_operation, own_id, refresh_parameter, vector_engine)
    return next(filter(None, (rule(request) for rule in rules)), None)


def unsigned(request: Request) -> Answer | None:
    """https://docs.aws.amazon.com/opensearch-service/latest/developerguide/serverless-clients.html

    The answer is that of https://github.com/abutaha/aws-es-proxy/issues/132
    """
    authorization = request.headers.get("authorization", "")
    signed = re.search("SignedHeaders=([^,]*)", authorization)
    names = signed[1].split(";") if signed else []
    if "/aoss/aws4_request" in authorization and {"host", "x-amz-content-sha256"} <= {*names}:
        return None
    return _forbidden("Forbidden")


def changed_body(request: Request) -> Answer | None:
    """A compressed body is verified in another form than it was signed in, and fails.

    https://github.com/zilliztech/VectorDBBench/pull/802
    """
    digest = hashlib.sha256(request.body).hexdigest()
    plain = "content-encoding" not in request.headers
    if plain and request.headers["x-amz-content-sha256"] == digest:
        return None
    return _forbidden("Request Content Checksum Verification Failed")


def unknown_operation(request: Request) -> Answer | None:
    """Among others `_refresh`, `_delete_by_query`, `_update_by_query` and scrolling.

    The answer has no body: https://github.com/opensearch-project/opensearch-py/issues/646
    https://github.com/opensearch-project/opensearch-java/issues/1112
    """
    asked = f"{request.method} {request.path}"
    known = any(re.fullmatch(operation, asked) for operation in OPERATIONS)
    scrolls = "scroll" in request.parameters
    return None if (known and not scrolls) or OWN_ID.fullmatch(asked) else Answer(404)


def own_id(request: Request) -> Answer | None:
    """See `DOCUMENT_ID`."""
    if not OWN_ID.fullmatch(f"{request.method} {request.path}"):
        return None
    return _bad_request("illegal_argument_exception", DOCUMENT_ID)


def refresh_parameter(request: Request) -> Answer | None:
    """https://github.com/opensearch-project/opensearch-ruby/issues/131"""
    wanted = request.parameters.get("refresh", ["false"])[0]
    if wanted == "false":
        return None
    return _bad_request("status_exception", f"{wanted or 'true'} refresh policy is not supported.")


def vector_engine(request: Request) -> Answer | None:
    """https://github.com/opensearch-project/opensearch-agent-skills/pull/78

    For `mode`: https://github.com/awslabs/graphrag-toolkit/issues/359
    """
    if request.method != "PUT" or not request.text:
        return None
    for field in _vector_fields(json.loads(request.text)):
        for parameter in ("engine", "mode"):
            if parameter in field or parameter in field.get("method", {}):
                reason = f"Field parameter '{parameter}' is not supported"
                return _bad_request("illegal_argument_exception", reason)
    return None


def bulk_operations(request: Request) -> Bulk:
    """Return each operation of a bulk request: its kind, what it names, and the document."""
    lines = iter(request.lines)
    operations: Bulk = []
    for line in lines:
        [(kind, named)] = line.items()
        operations.append((kind, named, None if kind == "delete" else next(lines)))
    return operations


def refused_operation(kind: str, named: dict[str, Any]) -> dict[str, Any] | None:
    """Return the item that answers an operation which is refused; see `DOCUMENT_ID`.

    Updates are for search collections only (`OPERATIONS`); their refusal's wording is not known.
    """
    if kind == "delete" or (kind != "update" and "_id" not in named):
        return None
    error = {"type": "illegal_argument_exception", "reason": DOCUMENT_ID}
    return {kind: {"_id": named.get("_id"), "status": 400, "error": error}}


def _vector_fields(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    properties = body.get("mappings", body).get("properties", {})
    yield from (field for field in properties.values() if field.get("type") == "knn_vector")


def _forbidden(reason: str) -> Answer:
    return Answer.of({"status": 403, "error": {"reason": reason, "type": "Forbidden"}}, 403)


def _bad_request(kind: str, reason: str) -> Answer:
    cause = {"type": kind, "reason": reason}
    return Answer.of({"error": {"root_cause": [cause], **cause}, "status": 400}, 400)

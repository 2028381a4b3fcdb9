"""The program of tests/e2e, word for word, on a local stack whose index is the real node."""

import time
from collections.abc import Iterator

import pytest
from openai import OpenAI
from opensearchpy import OpenSearch

from infra.local import LocalStack
from tests.e2e.manuals import DOCX, PDF, Manuals, ask, check_citations

CAT = "What is the cat of the lighthouse keeper called?"


@pytest.fixture(scope="module")
def sdk(node: str, client: OpenSearch) -> Iterator[OpenAI]:
    """The official SDK, on a stack whose index is the node; `client` makes writes show soon."""
    with (
        LocalStack(search_endpoint=node) as stack,
        OpenAI(base_url=stack.base_url, api_key="sk-search", max_retries=0, timeout=60) as sdk,
    ):
        yield sdk


@pytest.fixture
def manuals(sdk: OpenAI) -> Iterator[Manuals]:
    manuals = Manuals.of(sdk)
    yield manuals
    manuals.close()


def test_a_streamed_answer_cites_what_is_in_the_files(manuals: Manuals) -> None:
    answer = ask(manuals, "demo", CAT)
    assert "Ahab 🐈" in answer.text.value
    assert check_citations(manuals, answer)[0] == "lighthouse.html"


def test_attributes_narrow_a_search_as_soon_as_they_are_given(manuals: Manuals) -> None:
    manuals.label(PDF.name, kind="manual", year=2024)
    manuals.label(DOCX.name, kind="manual", year=1999)
    manual = {"type": "eq", "key": "kind", "value": "manual"}
    recent = {"type": "gte", "key": "year", "value": 2000}
    filters = {"type": "and", "filters": [manual, recent]}
    until = time.monotonic() + 10
    while manuals.search("printer cat", filters=filters) != [PDF.name]:
        assert time.monotonic() < until
        time.sleep(0.1)


def test_manuals_that_are_deleted_leave_no_chunk_in_the_node(
    sdk: OpenAI, client: OpenSearch
) -> None:
    manuals = Manuals.of(sdk)
    store = {"query": {"wildcard": {"store": f"*#{manuals.store_id}"}}}
    assert client.count(index="chunks-*", body=store)["count"] == 3
    manuals.close()
    until = time.monotonic() + 30
    while client.count(index="chunks-*", body=store)["count"]:
        assert time.monotonic() < until
        time.sleep(0.1)

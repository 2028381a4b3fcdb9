"""The program of tests/e2e, word for word, on a local stack whose index is the real node."""

import time
from collections.abc import Iterator

import pytest
from openai import OpenAI
from opensearchpy import OpenSearch

from infra.local import LocalStack
from tests.e2e.library import DOCX, PDF, Library, ask, check_citations

CAT = "What is the cat of the lighthouse keeper called?"


@pytest.fixture(scope="module")
def sdk(node: str, client: OpenSearch) -> Iterator[OpenAI]:
    """`client` has told the node to show its writes soon."""
    with (
        LocalStack(search_endpoint=node) as stack,
        OpenAI(base_url=stack.base_url, api_key="sk-search", max_retries=0, timeout=60) as sdk,
    ):
        yield sdk


@pytest.fixture
def library(sdk: OpenAI) -> Iterator[Library]:
    library = Library.of(sdk)
    yield library
    library.close()


def test_a_streamed_answer_cites_what_stands_in_the_files(library: Library) -> None:
    answer = ask(library, "demo", CAT)
    assert "Ahab 🐈" in answer.text.value
    assert check_citations(library, answer)[0] == "lighthouse.html"


def test_attributes_narrow_a_search_as_soon_as_they_are_given(library: Library) -> None:
    library.label(PDF.name, kind="manual", year=2024)
    library.label(DOCX.name, kind="manual", year=1999)
    manual = {"type": "eq", "key": "kind", "value": "manual"}
    recent = {"type": "gte", "key": "year", "value": 2000}
    filters = {"type": "and", "filters": [manual, recent]}
    until = time.monotonic() + 10
    while library.search("printer cat", filters=filters) != [PDF.name]:
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_library_that_is_deleted_leaves_no_chunk_in_the_node(
    sdk: OpenAI, client: OpenSearch
) -> None:
    library = Library.of(sdk)
    store = {"query": {"wildcard": {"store": f"*#{library.store_id}"}}}
    assert client.count(index="chunks-*", body=store)["count"] == 3
    library.close()
    until = time.monotonic() + 30
    while client.count(index="chunks-*", body=store)["count"]:
        assert time.monotonic() < until
        time.sleep(0.1)

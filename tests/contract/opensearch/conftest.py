"""One node for all the tests of this folder, which shows its writes soon."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from opensearchpy import OpenSearch

from assistants.adapters.search.opensearch_client import connect
from tests.contract.opensearch.node import running


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Run this folder only when it is named: `make test` needs neither Java nor Maven."""
    named = any("opensearch" in argument for argument in config.invocation_params.args)
    return None if named else True


@pytest.fixture(scope="session")
def node() -> Iterator[str]:
    """The URL of the node."""
    with running() as url:
        yield url


@pytest.fixture(scope="session")
def client(node: str) -> Iterator[OpenSearch]:
    client = connect(node)
    settings = {"index": {"refresh_interval": "20ms", "number_of_replicas": 0}}
    template = {"index_patterns": ["chunks-*"], "template": {"settings": settings}}
    client.indices.put_index_template(name="fast", body=template)
    yield client
    client.close()

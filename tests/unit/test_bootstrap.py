"""Which index and embedding model the settings choose, and that nobody else loads them."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from assistants import bootstrap
from assistants.adapters.embeddings.bedrock import CohereEmbedder, TitanEmbedder
from assistants.adapters.embeddings.minilm import MiniLM
from assistants.adapters.embeddings.openai import OpenAIEmbedder
from assistants.adapters.search.opensearch import OpenSearchIndex
from assistants.adapters.search.sqlite import SqliteIndex

HEAVY = ("opensearchpy", "apsw", "numpy", "tokenizers", "assistants.documents", "requests")
Choose = Callable[..., None]


@pytest.fixture
def choose(monkeypatch: pytest.MonkeyPatch) -> Iterator[Choose]:
    """Sets settings, as the environment of a function does."""
    made = (bootstrap.settings, bootstrap.index, bootstrap.embedder)

    def forget() -> None:
        for one in made:
            one.cache_clear()

    def choose(**chosen: str) -> None:
        for name, value in chosen.items():
            monkeypatch.setenv(f"ASSISTANTS_{name.upper()}", value)
        forget()

    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    yield choose
    forget()


def test_a_function_that_does_not_search_loads_nothing_that_does() -> None:
    program = f"import sys, assistants.bootstrap; print(*sys.modules.keys() & {set(HEAVY)!r})"
    command = [sys.executable, "-c", program]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert loaded.strip() == ""


def test_the_index_can_be_a_file(choose: Choose, tmp_path: Path) -> None:
    choose(search_endpoint=f"sqlite:{tmp_path / 'index.sqlite'}")
    assert isinstance(bootstrap.index(), SqliteIndex)
    assert (tmp_path / "index.sqlite").exists()


@pytest.mark.parametrize(
    ("endpoint", "vector", "service"),
    [
        ("https://abc.aoss.eu-central-1.on.aws", "compression_level", "aoss"),
        ("https://abc.eu-central-1.aoss.amazonaws.com", "compression_level", "aoss"),
        ("https://search-abc.eu-central-1.es.amazonaws.com", "faiss", "es"),
        ("http://127.0.0.1:9200", "lucene", None),
    ],
)
def test_the_index_can_be_a_collection_a_domain_or_a_node(
    choose: Choose, endpoint: str, vector: str, service: str | None
) -> None:
    choose(search_endpoint=endpoint)
    index = bootstrap.index()
    assert isinstance(index, OpenSearchIndex)
    requests: Any = index._requests
    assert vector in str(requests._body["mappings"]["properties"]["vector"])
    transport = requests._client.transport
    [host] = transport.hosts
    assert host["host"] == endpoint.split("//")[1].partition(":")[0]
    signer = transport.kwargs.get("http_auth")
    assert (signer and signer.signer.service) == service
    assert transport.kwargs["http_compress"] == (service != "aoss")
    assert index.name.endswith("-1024")


@pytest.mark.parametrize(
    ("chosen", "kind", "model", "dimensions"),
    [
        ({}, TitanEmbedder, "amazon.titan-embed-text-v2:0", 1024),
        (
            {"embedding_model": "bedrock:eu.cohere.embed-v4:0", "embedding_dimensions": "1536"},
            CohereEmbedder,
            "eu.cohere.embed-v4:0",
            1536,
        ),
        (
            {"embedding_model": "minilm", "embedding_dimensions": "384"},
            MiniLM,
            "all-MiniLM-L6-v2",
            384,
        ),
        (
            {"embedding_url": "http://embed/v1", "embedding_model": "nomic-embed-text"},
            OpenAIEmbedder,
            "nomic-embed-text",
            1024,
        ),
    ],
)
def test_the_embedding_model_is_that_of_the_settings(
    choose: Choose, chosen: dict[str, str], kind: type, model: str, dimensions: int
) -> None:
    choose(**chosen)
    embedder = bootstrap.embedder()
    assert isinstance(embedder, kind)
    assert (embedder.model, embedder.dimensions) == (model, dimensions)


@pytest.mark.parametrize(
    ("model", "shortens"), [("text-embedding-3-large", True), ("nomic-embed-text", False)]
)
def test_only_models_that_can_are_asked_for_shorter_vectors(
    choose: Choose, model: str, shortens: bool
) -> None:
    choose(embedding_url="http://embed/v1", embedding_model=model, embedding_dimensions="256")
    embedder: Any = bootstrap.embedder()
    assert embedder._options == ({"dimensions": 256} if shortens else {})


def test_a_bedrock_model_of_unknown_form_is_refused(choose: Choose) -> None:
    choose(embedding_model="bedrock:amazon.nova-pro-v1:0")
    with pytest.raises(ValueError, match="neither a Titan nor a Cohere model"):
        bootstrap.embedder()

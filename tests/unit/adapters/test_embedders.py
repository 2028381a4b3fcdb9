"""Embedders over real HTTP against a small server that answers as each provider documents."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from assistants.adapters.embeddings.bedrock import CohereEmbedder, TitanEmbedder
from assistants.adapters.embeddings.minilm import MiniLM
from assistants.adapters.embeddings.openai import OpenAIEmbedder
from assistants.ports.search import SearchUnavailableError
from tests.support.embedding_server import EmbeddingServer, embedding


@pytest.fixture
def provider() -> Iterator[EmbeddingServer]:
    with EmbeddingServer.started() as server:
        yield server


def check(vectors: list[list[float]], texts: list[str]) -> None:
    assert len(vectors) == len(texts)
    for vector, text in zip(vectors, texts, strict=True):
        length = math.hypot(*embedding(text))
        assert vector == pytest.approx([value / length for value in embedding(text)])


def test_openai_vectors_come_in_order_in_batches_and_of_length_1(provider: EmbeddingServer) -> None:
    embedder = OpenAIEmbedder(
        provider.url + "/v1/", model="m", dimensions=4, key=lambda: "sk-secret"
    )
    texts = ["x" * n for n in range(1, 151)]
    check(embedder.documents(texts), texts)
    check([embedder.query("question")], ["question"])
    assert [len(body["input"]) for _, _, body in provider.requests] == [64, 64, 22, 1]
    path, headers, body = provider.requests[-1]
    assert (path, headers["Authorization"]) == ("/v1/embeddings", "Bearer sk-secret")
    assert body == {"model": "m", "input": ["question"], "encoding_format": "float"}
    assert embedder.documents([]) == []


def test_openai_is_asked_for_shorter_vectors_only_when_configured(
    provider: EmbeddingServer,
) -> None:
    OpenAIEmbedder(provider.url, model="m", dimensions=4, shorten=True).query("x")
    (_, headers, body) = provider.requests[0]
    assert body["dimensions"] == 4
    assert "Authorization" not in headers


def test_passing_failures_are_tried_again(provider: EmbeddingServer) -> None:
    provider.failures = [429, 503]
    check([OpenAIEmbedder(provider.url, model="m", dimensions=4).query("x")], ["x"])
    provider.failures = [429, 503]
    check([TitanEmbedder(provider.bedrock(), dimensions=4).query("x")], ["x"])


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        ({"data": [{"index": 0, "embedding": [1.0, 0.0]}]}, "2 dimensions"),
        ({"data": [{"index": 0, "embedding": [0.0] * 4}]}, "length 0"),
        ({"data": []}, "not all"),
        ({"data": [{"index": 1, "embedding": [1.0] * 4}]}, "not all"),
        ({"error": "no"}, "not understood"),
    ],
)
def test_an_answer_that_cannot_be_used_is_refused(
    provider: EmbeddingServer, answer: Any, complaint: str
) -> None:
    provider.answer = answer
    with pytest.raises(SearchUnavailableError, match=complaint):
        OpenAIEmbedder(provider.url, model="m", dimensions=4).query("x")


def test_a_refusal_is_reported_without_the_key(provider: EmbeddingServer) -> None:
    provider.failures = [401]
    with pytest.raises(SearchUnavailableError, match=r"answered 401: .*sorry") as refusal:
        OpenAIEmbedder(provider.url, model="m", dimensions=4, key=lambda: "sk-secret").query("x")
    assert "sk-secret" not in str(refusal.value)


def test_titan_is_asked_text_by_text(provider: EmbeddingServer) -> None:
    embedder = TitanEmbedder(provider.bedrock(), dimensions=4)
    texts = ["x" * n for n in range(1, 21)]
    check(embedder.documents(texts), texts)
    path, _, body = provider.requests[0]
    assert path == "/model/amazon.titan-embed-text-v2%3A0/invoke"
    assert body == {"inputText": body["inputText"], "dimensions": 4, "normalize": True}
    assert len(provider.requests) == 20
    embedder.query("y" * 60_000)
    assert len(provider.requests[-1][2]["inputText"]) == 50_000


def test_cohere_learns_what_a_text_is_for(provider: EmbeddingServer) -> None:
    embedder = CohereEmbedder(provider.bedrock(), dimensions=4)
    texts = ["x" * n for n in range(1, 101)]
    check(embedder.documents(texts), texts)
    check([embedder.query("question")], ["question"])
    asked = [(len(body["texts"]), body["input_type"]) for _, _, body in provider.requests]
    assert asked == [(96, "search_document"), (4, "search_document"), (1, "search_query")]
    assert provider.requests[0][2]["output_dimension"] == 4


def test_bedrock_that_refuses_is_unavailable(provider: EmbeddingServer) -> None:
    provider.failures = [403]
    with pytest.raises(SearchUnavailableError, match="sorry"):
        CohereEmbedder(provider.bedrock()).query("x")


def test_minilm_gives_the_vectors_of_the_original() -> None:
    """What PyTorch computes for this sentence, as the tests of other ports quote it."""
    vector = MiniLM().query("This is an example sentence")
    start = [0.06765693, 0.06349593, 0.04871314, 0.07930495, 0.03744806, 0.00265273]
    assert vector[:6] == pytest.approx(start, abs=1e-6)
    assert math.hypot(*vector) == pytest.approx(1, abs=1e-5)
    assert len(vector) == MiniLM.dimensions


def test_minilm_puts_like_near_like() -> None:
    model = MiniLM()
    question = np.array(model.query("How do I reset my password?"))
    like, unlike = np.array(
        model.documents(["To choose a new password, open the settings.", "Bees make honey."])
    )
    assert question @ like > 0.5
    assert abs(question @ unlike) < 0.2

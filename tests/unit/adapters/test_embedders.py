"""Embedders over real HTTP against a small server that answers as each provider documents."""

import json
import math
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import numpy as np
import pytest
from botocore.config import Config

from assistants.adapters.embeddings.bedrock import CohereEmbedder, TitanEmbedder
from assistants.adapters.embeddings.minilm import MiniLM
from assistants.adapters.embeddings.openai import OpenAIEmbedder
from assistants.ports.search import SearchUnavailableError


def embedding(text: str) -> list[float]:
    return [float(len(text)), 1.0, 0.0, -2.0]


class Provider:
    """Answers `POST` of every provider; `failures` are statuses that are answered first."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], dict[str, Any]]] = []
        self.failures: list[int] = []
        self.answer: Any = None
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                provider.requests.append((self.path, dict(self.headers), body))
                status = provider.failures.pop(0) if provider.failures else 200
                answer = {"message": "sorry"} if status != 200 else provider.answer_to(body)
                content = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(content)))
                self.send_header("retry-after", "0")
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer_to(self, body: dict[str, Any]) -> Any:
        if self.answer is not None:
            return self.answer
        if "inputText" in body:
            return {"embedding": embedding(body["inputText"]), "inputTextTokenCount": 1}
        if "texts" in body:
            return {"embeddings": {"float": [embedding(text) for text in body["texts"]]}}
        data = [{"index": n, "embedding": embedding(text)} for n, text in enumerate(body["input"])]
        return {"object": "list", "data": data[::-1], "model": body["model"]}

    def bedrock(self) -> Any:
        config = Config(retries={"mode": "standard", "total_max_attempts": 3})
        return boto3.client(
            "bedrock-runtime",
            endpoint_url=self.url,
            region_name="eu-west-1",
            aws_access_key_id="id",
            aws_secret_access_key="secret",
            config=config,
        )


@pytest.fixture
def provider() -> Iterator[Provider]:
    provider = Provider()
    thread = threading.Thread(target=provider.server.serve_forever, args=(0.01,))
    thread.start()
    yield provider
    provider.server.shutdown()
    provider.server.server_close()
    thread.join()


def check(vectors: list[list[float]], texts: list[str]) -> None:
    assert len(vectors) == len(texts)
    for vector, text in zip(vectors, texts, strict=True):
        length = math.hypot(*embedding(text))
        assert vector == pytest.approx([value / length for value in embedding(text)])


def test_openai_vectors_come_in_order_in_batches_and_of_length_1(provider: Provider) -> None:
    embedder = OpenAIEmbedder(provider.url + "/v1/", model="m", dimensions=4, key="sk-secret")
    texts = ["x" * n for n in range(1, 151)]
    check(embedder.documents(texts), texts)
    check([embedder.query("question")], ["question"])
    assert [len(body["input"]) for _, _, body in provider.requests] == [64, 64, 22, 1]
    path, headers, body = provider.requests[-1]
    assert (path, headers["Authorization"]) == ("/v1/embeddings", "Bearer sk-secret")
    assert body == {"model": "m", "input": ["question"], "encoding_format": "float"}
    assert embedder.documents([]) == []


def test_openai_is_asked_for_shorter_vectors_only_when_told(provider: Provider) -> None:
    OpenAIEmbedder(provider.url, model="m", dimensions=4, shorten=True).query("x")
    (_, headers, body) = provider.requests[0]
    assert body["dimensions"] == 4
    assert "Authorization" not in headers


def test_passing_failures_are_tried_again(provider: Provider) -> None:
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
    provider: Provider, answer: Any, complaint: str
) -> None:
    provider.answer = answer
    with pytest.raises(SearchUnavailableError, match=complaint):
        OpenAIEmbedder(provider.url, model="m", dimensions=4).query("x")


def test_a_refusal_is_reported_without_the_key(provider: Provider) -> None:
    provider.failures = [401]
    with pytest.raises(SearchUnavailableError, match=r"answered 401: .*sorry") as refusal:
        OpenAIEmbedder(provider.url, model="m", dimensions=4, key="sk-secret").query("x")
    assert "sk-secret" not in str(refusal.value)


def test_titan_is_asked_text_by_text(provider: Provider) -> None:
    embedder = TitanEmbedder(provider.bedrock(), dimensions=4)
    texts = ["x" * n for n in range(1, 21)]
    check(embedder.documents(texts), texts)
    path, _, body = provider.requests[0]
    assert path == "/model/amazon.titan-embed-text-v2%3A0/invoke"
    assert body == {"inputText": body["inputText"], "dimensions": 4, "normalize": True}
    assert len(provider.requests) == 20
    embedder.query("y" * 60_000)
    assert len(provider.requests[-1][2]["inputText"]) == 50_000


def test_cohere_is_told_what_a_text_is_for(provider: Provider) -> None:
    embedder = CohereEmbedder(provider.bedrock(), dimensions=4)
    texts = ["x" * n for n in range(1, 101)]
    check(embedder.documents(texts), texts)
    check([embedder.query("question")], ["question"])
    asked = [(len(body["texts"]), body["input_type"]) for _, _, body in provider.requests]
    assert asked == [(96, "search_document"), (4, "search_document"), (1, "search_query")]
    assert provider.requests[0][2]["output_dimension"] == 4


def test_bedrock_that_refuses_is_unavailable(provider: Provider) -> None:
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


def test_minilm_puts_like_beside_like() -> None:
    model = MiniLM()
    question = np.array(model.query("How do I reset my password?"))
    like, unlike = np.array(
        model.documents(["To choose a new password, open the settings.", "Bees make honey."])
    )
    assert question @ like > 0.5
    assert abs(question @ unlike) < 0.2

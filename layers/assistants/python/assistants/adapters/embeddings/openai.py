"""Embeddings of any server with OpenAI's `POST /embeddings`.

https://platform.openai.com/docs/api-reference/embeddings/create
"""

from collections.abc import Sequence

import urllib3
from pydantic import BaseModel, ValidationError
from urllib3.exceptions import HTTPError

from assistants.adapters.search.vectors import unit
from assistants.adapters.secrets import Secret
from assistants.ports.search import SearchUnavailableError, Vector

BATCH = 64  # texts per request: 64 chunks of 4,096 tokens are below OpenAI's limit of 300,000
RETRIED = (408, 409, 429, 500, 502, 503, 504)


class _Item(BaseModel):
    index: int
    embedding: Vector


class _Answer(BaseModel):
    data: list[_Item]


class OpenAIEmbedder:
    """Implement `Embedder`.

    With `shorten` the server is asked for vectors of `dimensions`, which some models support;
    otherwise its vectors must have that length already.
    """

    def __init__(
        self,
        url: str,
        *,
        model: str,
        dimensions: int,
        key: Secret = lambda: None,
        shorten: bool = False,
        unrelated: float = 0.0,
    ) -> None:
        self.model = model
        self.dimensions = dimensions
        self.unrelated = unrelated
        self._url = url.rstrip("/") + "/embeddings"
        self._key = key
        self._options = {"dimensions": dimensions} if shorten else {}
        # 4 retries, after 0, 1, 2 and 4 seconds or as Retry-After says.
        retry = urllib3.Retry(4, allowed_methods=None, status_forcelist=RETRIED, backoff_factor=0.5)
        self._pool = urllib3.PoolManager(
            retries=retry,
            timeout=urllib3.Timeout(connect=5, read=60),
        )

    def documents(self, texts: Sequence[str]) -> list[Vector]:
        batches = (texts[start : start + BATCH] for start in range(0, len(texts), BATCH))
        return [vector for batch in batches for vector in self._embed(batch)]

    def query(self, text: str) -> Vector:
        return self._embed([text])[0]

    def _embed(self, texts: Sequence[str]) -> list[Vector]:
        body = {"model": self.model, "input": list(texts), "encoding_format": "float"}
        key = self._key()
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        try:
            answer = self._pool.request(
                "POST", self._url, json=body | self._options, headers=headers
            )
        except HTTPError as error:
            raise SearchUnavailableError(f"The embedding model does not answer: {error}") from error
        if answer.status != 200:
            shown = answer.data[:500].decode("utf-8", "replace")
            raise SearchUnavailableError(f"The embedding model answered {answer.status}: {shown}")
        return self._vectors(answer.data, len(texts))

    def _vectors(self, answer: bytes, expected: int) -> list[Vector]:
        try:
            items = sorted(_Answer.model_validate_json(answer).data, key=lambda item: item.index)
        except ValidationError as error:
            raise SearchUnavailableError(
                "The embedding model's answer is not understood."
            ) from error
        if [item.index for item in items] != list(range(expected)):
            raise SearchUnavailableError(
                f"The embedding model answered {len(items)} vectors, not all."
            )
        return [unit(item.embedding, self.dimensions) for item in items]

"""Embeddings of Amazon Bedrock: Titan Text Embeddings V2 and Cohere Embed v4.

https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed-v4.html
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from assistants.adapters.search.vectors import unit
from assistants.ports.search import SearchUnavailableError, Vector

Purpose = Literal["search_document", "search_query"]


class _BedrockEmbedder(ABC):
    """Implement `Embedder` with a `bedrock-runtime` client."""

    def __init__(self, client: Any, *, model: str, dimensions: int, unrelated: float) -> None:
        self._client = client
        self.model = model
        self.dimensions = dimensions
        self.unrelated = unrelated

    @abstractmethod
    def documents(self, texts: Sequence[str]) -> list[Vector]: ...

    @abstractmethod
    def query(self, text: str) -> Vector: ...

    def _invoke(self, body: dict[str, Any]) -> Any:
        try:
            answer = self._client.invoke_model(modelId=self.model, body=json.dumps(body))
            return json.loads(answer["body"].read())
        except (BotoCoreError, ClientError, json.JSONDecodeError) as error:
            raise SearchUnavailableError(f"The embedding model does not answer: {error}") from error

    def _unit(self, vector: Sequence[float]) -> Vector:
        return unit(vector, self.dimensions)


class TitanEmbedder(_BedrockEmbedder):
    """Take one text per request; the texts of a document are sent in parallel."""

    MAX_CHARACTERS = 50_000
    PARALLEL = 8

    def __init__(
        self,
        client: Any,
        *,
        model: str = "amazon.titan-embed-text-v2:0",
        dimensions: int = 1024,
        unrelated: float = 0.0,
    ) -> None:
        super().__init__(client, model=model, dimensions=dimensions, unrelated=unrelated)

    def documents(self, texts: Sequence[str]) -> list[Vector]:
        with ThreadPoolExecutor(self.PARALLEL) as workers:
            return list(workers.map(self.query, texts))

    def query(self, text: str) -> Vector:
        body = {"inputText": text[: self.MAX_CHARACTERS], "dimensions": self.dimensions}
        return self._unit(self._invoke(body | {"normalize": True})["embedding"])


class CohereEmbedder(_BedrockEmbedder):
    """Take up to 96 texts per request, and distinguish documents from queries."""

    BATCH = 96

    def __init__(
        self,
        client: Any,
        *,
        model: str = "cohere.embed-v4:0",
        dimensions: int = 1024,
        unrelated: float = 0.0,
    ) -> None:
        super().__init__(client, model=model, dimensions=dimensions, unrelated=unrelated)

    def documents(self, texts: Sequence[str]) -> list[Vector]:
        batches = (texts[start : start + self.BATCH] for start in range(0, len(texts), self.BATCH))
        return [vector for batch in batches for vector in self._embed(batch, "search_document")]

    def query(self, text: str) -> Vector:
        return self._embed([text], "search_query")[0]

    def _embed(self, texts: Sequence[str], purpose: Purpose) -> list[Vector]:
        body = {"texts": list(texts), "input_type": purpose, "embedding_types": ["float"]}
        answer = self._invoke(body | {"output_dimension": self.dimensions})
        vectors = answer["embeddings"]["float"]
        if len(vectors) != len(texts):
            raise SearchUnavailableError(f"The embedding model answered {len(vectors)} vectors.")
        return [self._unit(vector) for vector in vectors]


def bedrock_embedder(client: Any, model: str, dimensions: int) -> TitanEmbedder | CohereEmbedder:
    """Return the embedder for a model. Raises `ValueError` for an unknown family."""
    for family, embedder in (("titan-embed-text", TitanEmbedder), ("cohere.embed", CohereEmbedder)):
        if family in model:
            return embedder(client, model=model, dimensions=dimensions)
    raise ValueError(f"{model} is neither a Titan nor a Cohere model for embeddings of text")

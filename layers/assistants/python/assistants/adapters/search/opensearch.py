"""The search index in OpenSearch: Serverless collections, domains, and nodes without a login."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from botocore.credentials import Credentials
from botocore.session import get_session
from opensearchpy import OpenSearch, Urllib3AWSV4SignerAuth, Urllib3HttpConnection
from opensearchpy.exceptions import OpenSearchException, RequestError
from opensearchpy.helpers import streaming_bulk

from assistants.adapters.search import opensearch_queries as form
from assistants.domain.filters import Comparison, Compound
from assistants.domain.ids import ProjectId
from assistants.domain.retrieval.passage import Chunk, Document
from assistants.domain.retrieval.ranking import Candidates
from assistants.ports.search import Query, SearchUnavailableError

Service = Literal["aoss", "es"]

WAKING_SECONDS = 60  # a Serverless collection that slept answers its first request in 10 to 30
BULK_BYTES = 5 * 2**20


def connect(
    endpoint: str,
    *,
    credentials: Credentials | None = None,
    region: str = "",
    service: Service = "aoss",
) -> OpenSearch:
    """The client of `endpoint` (`https://…`). It signs its requests if there are credentials."""
    signer = Urllib3AWSV4SignerAuth(credentials, region, service) if credentials else None
    return OpenSearch(
        [endpoint],
        http_auth=signer,
        connection_class=Urllib3HttpConnection,
        http_compress=True,
        timeout=WAKING_SECONDS,
        max_retries=4,
        retry_on_timeout=True,
        retry_on_status=(429, 502, 503, 504),
    )


def connect_signed(endpoint: str) -> OpenSearch:
    """The client of a collection or domain of this account, with the credentials at hand."""
    session = get_session()
    service: Service = "aoss" if ".aoss." in endpoint else "es"
    credentials = session.get_credentials()
    region = session.get_config_variable("region")
    return connect(endpoint, credentials=credentials, region=region, service=service)


class OpenSearchIndex:
    """A `SearchIndex`. `engine` is `faiss` on AWS; a node without native libraries has `lucene`."""

    def __init__(
        self, client: OpenSearch, *, model: str, dimensions: int, engine: form.Engine = "faiss"
    ) -> None:
        self._client = client
        self._dimensions = dimensions
        self._engine = engine
        self._created = False
        self.name = form.index_name(model, dimensions)

    def put(
        self, document: Document, chunks: Sequence[Chunk], vectors: Sequence[Sequence[float]]
    ) -> None:
        if any(len(vector) != self._dimensions for vector in vectors):
            raise ValueError(f"this index takes vectors of {self._dimensions} dimensions")
        self._write(
            {"_op_type": "index", "_id": form.chunk_id(document, chunk.number)}
            | form.source(document, chunk, vector)
            for chunk, vector in zip(chunks, vectors, strict=True)
        )

    def set_attributes(self, document: Document, chunks: int) -> None:
        fields = form.attribute_fields(document)
        self._write(
            {"_op_type": "update", "_id": form.chunk_id(document, number), "doc": fields}
            for number in range(chunks)
        )

    def delete(self, document: Document, chunks: int) -> None:
        self._write(
            {"_op_type": "delete", "_id": form.chunk_id(document, number)}
            for number in range(chunks)
        )

    def count(self, document: Document) -> int:
        with _reported():
            return self._count({"term": {"document": form.document_key(document)}})

    def search(
        self,
        project: ProjectId,
        vector_store_ids: Sequence[str],
        queries: Sequence[Query],
        *,
        condition: Comparison | Compound | None = None,
        without: Collection[Document] = (),
        limit: int = 50,
    ) -> list[Candidates]:
        filters = form.within(project, vector_store_ids, condition, without)
        header = {"index": self.name, "ignore_unavailable": True}
        body: list[dict[str, Any]] = []
        for query in queries:
            body += [header, form.nearest(query.vector, filters, limit)]
            body += [header, form.matching(query.text, filters, limit)]
        found = iter(self._answers(body) if body else ())
        return [
            Candidates(form.hits(nearest, cosine=True), form.hits(matching, cosine=False))
            for nearest, matching in zip(found, found, strict=True)
        ]

    def wake(self) -> None:
        self._count({"match_none": {}})

    def _answers(self, body: list[dict[str, Any]]) -> list[dict[str, Any]]:
        with _reported():
            answers: list[dict[str, Any]] = self._client.msearch(body=body)["responses"]
        for answer in answers:
            if "error" in answer:
                raise SearchUnavailableError(f"The search index failed: {answer['error']}")
        return answers

    def _count(self, query: form.Clause) -> int:
        with _reported():
            counted: int = self._client.count(
                body={"query": query}, index=self.name, ignore_unavailable=True
            )["count"]
            return counted

    def _write(self, actions: Iterable[dict[str, Any]]) -> None:
        """Chunks that are to be changed or removed and are not there are fine."""
        with _reported():
            self._create()
            results = streaming_bulk(
                self._client,
                actions,
                index=self.name,
                max_chunk_bytes=BULK_BYTES,
                raise_on_error=False,
                max_retries=4,
                initial_backoff=1,
            )
            for done, result in results:
                (outcome,) = result.values()
                if not done and outcome["status"] != 404:
                    raise SearchUnavailableError(f"The search index refused a chunk: {outcome}")

    def _create(self) -> None:
        """Before every first write: an index that a write creates would have another mapping."""
        if self._created:
            return
        try:
            self._client.indices.create(
                index=self.name, body=form.index_body(self._dimensions, self._engine)
            )
        except RequestError as error:
            if error.error != "resource_already_exists_exception":
                raise
        self._created = True


@contextmanager
def _reported() -> Iterator[None]:
    try:
        yield
    except OpenSearchException as error:
        raise SearchUnavailableError(f"The search index failed: {error}") from error

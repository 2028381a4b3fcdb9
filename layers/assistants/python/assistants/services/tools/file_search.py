"""File search as a tool of a run: queries in, passages with their markers out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import from_json

from assistants.domain.annotation import Citation, marker, without_markers
from assistants.domain.errors import InvalidRequestError
from assistants.domain.ids import ProjectId
from assistants.domain.retrieval.passage import Passage
from assistants.domain.retrieval.ranking import Hit, Ranking
from assistants.domain.run import RunSettings
from assistants.domain.token_budget import TokenBudget
from assistants.domain.tool import FileSearchOptions, FileSearchRankingOptions, FileSearchTool
from assistants.domain.vector_store_search import MAX_QUERIES, MAX_QUERY_CHARACTERS, Queries
from assistants.ports.clock import Clock
from assistants.ports.hosted_tool import RunFailedError, ToolAnswer, ToolUse
from assistants.services.vector_stores.search import StoreSearcher

# OpenAI's published defaults: results and tokens of all results, for gpt-3.5 and for later models.
_SMALL, _LARGE = (5, 4_000), (20, 16_000)
INDEXING_SECONDS = 60  # how long a run waits for the files of its thread, as the original does
_LOOK_SECONDS = 0.5
_QUERIES = TypeAdapter[list[str]](Queries)
_FORM = (
    'Nothing was searched: call file_search with {"queries": ["…"]}, '
    f"1 to {MAX_QUERIES} texts of at most {MAX_QUERY_CHARACTERS:,} characters."
)
_NO_STORE = "Nothing was searched: there is no vector store to search in."
_NOTHING = "No passage was found."


@dataclass(frozen=True)
class FileSearch:
    """`beside` does something while the caller goes on, and logs what goes wrong."""

    search: StoreSearcher
    count_tokens: Callable[[str], int]
    beside: Callable[[Callable[[], None]], None]
    clock: Clock

    def prepare(
        self,
        project: ProjectId,
        run: RunSettings,
        *,
        cancelled: Callable[[], bool],
        seconds_left: int,
    ) -> None:
        """Keep the stores alive, wake the index, and wait for files that were just attached.

        Raises `RunFailedError` for a store that has expired or is gone.
        """
        try:
            self.search.stores.touch(project, run.vector_store_ids)
            if run.vector_store_ids and run.tool_choice != "none":
                self.beside(self.search.vector_search.wake)
            until = self.clock.time() + min(seconds_left, INDEXING_SECONDS)
            while self._indexing(project, run) and self.clock.time() < until and not cancelled():
                self.clock.sleep(_LOOK_SECONDS)
        except InvalidRequestError as error:
            raise RunFailedError("server_error", error.message) from error

    def answer(self, use: ToolUse) -> ToolAnswer:
        options = _options(use.run)
        ranking = options.ranking_options or FileSearchRankingOptions(score_threshold=0.0)
        queries = queries_in(use.arguments)
        if not queries or not use.run.vector_store_ids:
            return ToolAnswer(_NO_STORE if queries else _FORM, shown=_shown(ranking, []))
        results, tokens = _SMALL if use.run.model.startswith("gpt-3.5") else _LARGE
        try:
            hits = self.search.find_passages(
                use.project,
                use.run.vector_store_ids,
                queries,
                ranking=Ranking(ranking.ranker, ranking.score_threshold),
                limit=options.max_num_results or results,
            )
        except InvalidRequestError as error:  # a store has gone since the run began
            return ToolAnswer(f"Nothing was searched: {error.message}", shown=_shown(ranking, []))
        return self._answer(use.number, hits, ranking, tokens)

    def _answer(
        self, number: int, hits: Sequence[Hit], ranking: FileSearchRankingOptions, tokens: int
    ) -> ToolAnswer:
        """The best passages that fit into so many tokens; the best one in any case."""
        budget = TokenBudget.of(tokens, self.count_tokens)
        fitting: list[Hit] = []
        told: list[str] = []
        for place, hit in enumerate(hits):
            text = _told(f"{number}:{place}", hit.passage)
            if not budget.take({"content": text}) and fitting:
                break
            fitting.append(hit)
            told.append(text)
        citations = {
            f"{number}:{place}": Citation(hit.passage.document.file_id, hit.passage.chunk.text)
            for place, hit in enumerate(fitting)
        }
        text = "\n\n".join(told) or _NOTHING
        return ToolAnswer(text, shown=_shown(ranking, fitting), citations=citations)

    def _indexing(self, project: ProjectId, run: RunSettings) -> bool:
        return any(
            self.search.stores.is_indexing(project, store_id) for store_id in run.thread_store_ids
        )


def queries_in(arguments: str) -> list[str]:
    """`{"queries": ["…"]}`, and what models write in its place; none if it is anything else."""
    try:
        given = from_json(arguments)
        if isinstance(given, dict):
            given = given.get("queries", given.get("query"))
        texts = [given] if isinstance(given, str) else given
        return [text for text in _QUERIES.validate_python(texts) if text.strip()]
    except ValueError:
        return []


def _options(run: RunSettings) -> FileSearchOptions:
    for tool in run.tools:
        if isinstance(tool, FileSearchTool) and tool.file_search is not None:
            return tool.file_search
    return FileSearchOptions()


def _told(key: str, passage: Passage) -> str:
    """A passage as the model reads it, under its marker and what is known of its place."""
    chunk = passage.chunk
    place = list(chunk.headings)
    if chunk.pages is not None:
        first, last = chunk.pages
        place.append(f"page {first}" if first == last else f"pages {first} to {last}")
    text = "\n".join(part for part in (", ".join(place), chunk.text) if part)
    return f"{marker(key, passage.document.filename)}\n{without_markers(text)}"


def _shown(ranking: FileSearchRankingOptions, hits: Sequence[Hit]) -> dict[str, Any]:
    """The step's members, in the form of a delta."""
    results = [
        {
            "index": index,
            "file_id": hit.passage.document.file_id,
            "file_name": hit.passage.document.filename,
            "score": hit.score,
            "content": [{"index": 0, "type": "text", "text": hit.passage.chunk.text}],
        }
        for index, hit in enumerate(hits)
    ]
    options = {"ranker": ranking.ranker, "score_threshold": ranking.score_threshold}
    return {"ranking_options": options, "results": results}

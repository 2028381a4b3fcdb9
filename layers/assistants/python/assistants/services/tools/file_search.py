"""File search as a tool of a run: queries in, passages with their markers out."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import from_json

from assistants.domain.annotation import Citation, marker, without_markers
from assistants.domain.errors import InvalidRequestError
from assistants.domain.hosted_tools.file_search import (
    FILE_SEARCH,
    FileSearchOptions,
    FileSearchRankingOptions,
    FileSearchTool,
)
from assistants.domain.ids import ProjectId
from assistants.domain.retrieval.passage import Passage
from assistants.domain.retrieval.ranking import Hit, Ranking
from assistants.domain.run import RunSettings
from assistants.domain.token_budget import TokenBudget
from assistants.domain.vector_store_search import MAX_QUERIES, MAX_QUERY_CHARACTERS, Queries
from assistants.ports.clock import Clock
from assistants.ports.hosted_tool import HostedTool, RunFailedError, ToolAnswer, ToolUse
from assistants.services.storage.background import Background
from assistants.services.vector_stores.search import StoreSearcher

# OpenAI's published defaults: results and tokens of all results, for gpt-3.5 and for later models.
_SMALL, _LARGE = (5, 4_000), (20, 16_000)
INDEXING_SECONDS = 60  # a run waits so long for the files of its thread, as the original does
_POLL_SECONDS = 0.5
_QUERIES = TypeAdapter[list[str]](Queries)
_FORM = (
    f'Nothing was searched: call {FILE_SEARCH.name} with {{"{FILE_SEARCH.argument}": ["…"]}}, '
    f"1 to {MAX_QUERIES} texts of at most {MAX_QUERY_CHARACTERS:,} characters."
)
_NO_STORE = "Nothing was searched: there is no vector store to search in."
_NOTHING = "No passage was found."


@dataclass(frozen=True)
class FileSearch(HostedTool):
    searcher: StoreSearcher
    count_tokens: Callable[[str], int]
    background: Background
    clock: Clock

    def prepare(
        self,
        project: ProjectId,
        run: RunSettings,
        *,
        cancelled: Callable[[], bool],
        seconds_left: int,
    ) -> None:
        """Renew the stores, warm up the index, and wait for files that were just attached.

        Raises `RunFailedError` for a store that has expired or is gone.
        """
        try:
            self.searcher.stores.touch(project, run.vector_store_ids)
            if run.vector_store_ids and run.tool_choice != "none":
                self.background(self.searcher.vector_search.wake)
            until = self.clock.time() + min(seconds_left, INDEXING_SECONDS)
            while self._indexing(project, run) and self.clock.time() < until and not cancelled():
                self.clock.sleep(_POLL_SECONDS)
        except InvalidRequestError as error:
            raise RunFailedError("server_error", error.message) from error

    def answer(self, use: ToolUse) -> ToolAnswer:
        options = _options(use.run)
        ranking = options.ranking_options or FileSearchRankingOptions(score_threshold=0.0)
        queries = queries_in(use.arguments)
        if not queries or not use.run.vector_store_ids:
            return ToolAnswer(_NO_STORE if queries else _FORM, shown=_members(ranking, []))
        results, tokens = _SMALL if use.run.model.startswith("gpt-3.5") else _LARGE
        try:
            hits = self.searcher.find_passages(
                use.project,
                use.run.vector_store_ids,
                queries,
                ranking=Ranking(ranking.ranker, ranking.score_threshold),
                limit=options.max_num_results or results,
            )
        except InvalidRequestError as error:  # a store has gone since the run began
            return ToolAnswer(f"Nothing was searched: {error.message}", shown=_members(ranking, []))
        return self._answer(use.number, hits, ranking, tokens)

    def _answer(
        self, number: int, hits: Sequence[Hit], ranking: FileSearchRankingOptions, tokens: int
    ) -> ToolAnswer:
        """Answer with the best passages that fit into `tokens`; with the best one in any case."""
        budget = TokenBudget(tokens, self.count_tokens)
        fitting: list[Hit] = []
        texts: list[str] = []
        for place, hit in enumerate(hits):
            text = _text_of(f"{number}:{place}", hit.passage)
            if not budget.take({"content": text}) and fitting:
                break
            fitting.append(hit)
            texts.append(text)
        citations = {
            f"{number}:{place}": Citation(hit.passage.document.file_id, hit.passage.chunk.text)
            for place, hit in enumerate(fitting)
        }
        output = "\n\n".join(texts) or _NOTHING
        return ToolAnswer(output, shown=_members(ranking, fitting), citations=citations)

    def _indexing(self, project: ProjectId, run: RunSettings) -> bool:
        return any(
            self.searcher.stores.is_indexing(project, store_id) for store_id in run.thread_store_ids
        )


def queries_in(arguments: str) -> list[str]:
    """Read `{"queries": ["…"]}`, or one of the forms that models write instead; else no query."""
    try:
        given = from_json(arguments)
        if isinstance(given, dict):
            given = given.get(FILE_SEARCH.argument, given.get("query"))
        texts = [given] if isinstance(given, str) else given
        return [text for text in _QUERIES.validate_python(texts) if text.strip()]
    except ValueError:
        return []


def _options(run: RunSettings) -> FileSearchOptions:
    for tool in run.tools:
        if isinstance(tool, FileSearchTool) and tool.file_search is not None:
            return tool.file_search
    return FileSearchOptions()


def _text_of(key: str, passage: Passage) -> str:
    """Return the passage as the model reads it: its marker, its place in the file, its text."""
    chunk = passage.chunk
    place = list(chunk.headings)
    if chunk.pages is not None:
        first, last = chunk.pages
        place.append(f"page {first}" if first == last else f"pages {first} to {last}")
    text = "\n".join(part for part in (", ".join(place), chunk.text) if part)
    return f"{marker(key, passage.document.filename)}\n{without_markers(text)}"


def _members(ranking: FileSearchRankingOptions, hits: Sequence[Hit]) -> dict[str, Any]:
    """Return members of the call in its step, in the form of a delta."""
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

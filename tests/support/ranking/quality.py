"""Ranking quality: nDCG@10 and recall@10 of words, meaning and both, on labelled questions."""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from assistants.adapters.search.sqlite import SqliteIndex
from assistants.documents.chunking import chunks
from assistants.domain.ids import FileId, ProjectId, VectorStoreId
from assistants.domain.retrieval.document_text import ExtractedText
from assistants.domain.retrieval.passage import Chunk, Document
from assistants.domain.retrieval.query_terms import query_words
from assistants.domain.retrieval.ranking import Candidates, Hit, Ranking, rank
from assistants.ports.search import Embedder, Query
from tests.support.ranking.corpus import Corpus, Question

DEPTH = 10
RESAMPLES = 2_000
PROJECT, STORE = ProjectId("bench"), VectorStoreId("vs_bench")
DEFAULT = "both (default)"

Method = Callable[[Candidates], Sequence[Hit]]
Asked = tuple[set[tuple[str, int]], Candidates]  # the chunks that answer, and what was found


@dataclass(frozen=True, slots=True)
class Scored:
    """One value a question."""

    ndcg: list[float]
    recall: list[float]


def methods(unrelated: float) -> dict[str, Method]:
    def ranked(ranking: Ranking) -> Method:
        return lambda found: rank([found], ranking, unrelated=unrelated, limit=DEPTH)

    return {
        "words (BM25)": lambda found: found.matching[:DEPTH],
        "meaning (vectors)": ranked(Ranking(ranker="none")),
        DEFAULT: ranked(Ranking()),
        "both (hybrid_search 1:1)": ranked(Ranking(weights=(1, 1))),
    }


def evaluate(corpus: Corpus, embedder: Embedder) -> dict[str, Any]:
    """Compute each method's means with 95% intervals, and its distance to the default's nDCG."""
    chunked = {name: chunks(ExtractedText(text)) for name, text in corpus.guides.items()}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "index.sqlite"
        index = SqliteIndex(path, model=embedder.model, dimensions=embedder.dimensions)
        for name, found in chunked.items():
            texts = [f"{chunk.context(name)}\n{chunk.text}" for chunk in found]
            index.put(_document(name), found, embedder.documents(texts))
        asked = [
            (_answers(question, chunked[question.guide]), _candidates(index, question, embedder))
            for question in corpus.questions
        ]
    return {
        "guides": len(corpus.guides),
        "chunks": sum(map(len, chunked.values())),
        "questions": len(corpus.questions),
        "methods": _compared(asked, embedder.unrelated),
        "by words in common": _by_words(corpus, asked, embedder.unrelated),
    }


def _compared(asked: Sequence[Asked], unrelated: float) -> dict[str, Any]:
    scores = {
        name: _score([(answers, method(found)) for answers, found in asked])
        for name, method in methods(unrelated).items()
    }
    return {name: _summary(score, scores[DEFAULT]) for name, score in scores.items()}


def _by_words(corpus: Corpus, asked: Sequence[Asked], unrelated: float) -> dict[str, Any]:
    """Compare the methods by whether the answers have none, some or all of a question's words."""
    slices: dict[str, list[Asked]] = {"none": [], "some": [], "all": []}
    for question, one in zip(corpus.questions, asked, strict=True):
        answer = corpus.guides[question.guide][question.start : question.end].lower()
        present = [word.lower() in answer for word in query_words(question.title)]
        slices["all" if all(present) else "some" if any(present) else "none"].append(one)
    return {
        name: {"questions": len(part), "methods": _compared(part, unrelated)}
        for name, part in slices.items()
        if part
    }


def _document(guide: str) -> Document:
    return Document(PROJECT, STORE, FileId(guide), guide, guide)


def _answers(question: Question, guide: Sequence[Chunk]) -> set[tuple[str, int]]:
    """Return the chunks that hold half of the answer, or are half answer themselves."""
    return {
        (question.guide, chunk.number)
        for chunk in guide
        if min(chunk.end, question.end) - max(chunk.start, question.start)
        >= min(question.end - question.start, chunk.end - chunk.start) / 2
    }


def _candidates(index: SqliteIndex, question: Question, embedder: Embedder) -> Candidates:
    query = Query(question.text, embedder.query(question.text))
    (found,) = index.search(PROJECT, [STORE], [query])
    return found


def _score(asked: Sequence[tuple[set[tuple[str, int]], Sequence[Hit]]]) -> Scored:
    score = Scored([], [])
    for answers, hits in asked:
        right = [
            (hit.passage.document.file_id, hit.passage.chunk.number) in answers for hit in hits
        ]
        best = _gain([True] * min(DEPTH, len(answers)))
        score.ndcg.append(_gain(right) / best)
        score.recall.append(sum(right) / min(DEPTH, len(answers)))
    return score


def _gain(right: Sequence[bool]) -> float:
    return sum(1 / math.log2(place + 2) for place, hit in enumerate(right) if hit)


def _summary(score: Scored, default: Scored) -> dict[str, Any]:
    difference = [one - other for one, other in zip(score.ndcg, default.ndcg, strict=True)]
    return {
        "ndcg@10": _interval(score.ndcg),
        "recall@10": _interval(score.recall),
        "ndcg@10 less the default's": _interval(difference),
    }


def _interval(values: Sequence[float]) -> dict[str, float]:
    """Compute the mean, and the bounds of its middle 95% when the questions are drawn again."""
    chance = random.Random(1)
    means = sorted(
        sum(chance.choices(values, k=len(values))) / len(values) for _ in range(RESAMPLES)
    )
    return {
        "mean": round(sum(values) / len(values), 4),
        "low": round(means[int(RESAMPLES * 0.025)], 4),
        "high": round(means[int(RESAMPLES * 0.975)], 4),
    }

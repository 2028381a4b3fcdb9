"""Hybrid ranking: merges the results of vector search and keyword search.

Pure functions, so that every index ranks alike. Scores are 0..1, and higher is better.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from assistants.domain.retrieval.passage import Passage

Ranker = Literal["auto", "none", "default-2024-11-15", "default_2024_08_21"]

# The weights of vector and keyword scores, a convex combination as in arXiv 2210.11934. By
# `make bench-retrieval` with MiniLM, any share from 0.3 to 0.7 ranks better than either score
# alone; half is the middle.
MEANING_SHARE = WORDS_SHARE = 0.5
RECIPROCAL_CONSTANT = 60  # of reciprocal rank fusion, as in its first publication and in OpenSearch


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found. `score` is a cosine in `nearest`, and BM25 of any scale in `matching`."""

    passage: Passage
    score: float


@dataclass(frozen=True, slots=True)
class Candidates:
    """The results of one query, the best first in both lists."""

    nearest: Sequence[Hit] = ()
    matching: Sequence[Hit] = ()


@dataclass(frozen=True, slots=True)
class Ranking:
    """The options of a ranking. `weights` are `hybrid_search`'s: of embedding and of text."""

    ranker: Ranker = "auto"
    score_threshold: float = 0.0
    weights: tuple[float, float] | None = None


def rank(
    found: Sequence[Candidates], ranking: Ranking, *, unrelated: float, limit: int
) -> list[Hit]:
    """Return the best passages of all queries; a passage's score is that of its best query.

    `unrelated` is the embedding model's cosine of two unrelated texts.
    """
    best: dict[Passage, float] = {}
    for candidates in found:
        for passage, score in _scores(candidates, ranking, unrelated).items():
            best[passage] = max(score, best.get(passage, 0.0))
    # Rounded, so that a score equal to the threshold but for rounding errors passes.
    hits = [Hit(passage, round(score, 6)) for passage, score in best.items()]
    hits = [hit for hit in hits if hit.score >= ranking.score_threshold]
    return sorted(hits, key=_order)[:limit]


def _order(hit: Hit) -> tuple[float, str, int]:
    return -hit.score, hit.passage.document.entry_id, hit.passage.chunk.number


def _scores(found: Candidates, ranking: Ranking, unrelated: float) -> dict[Passage, float]:
    if ranking.ranker == "none":
        return _relative(found.nearest, _closeness(unrelated))
    if ranking.weights:
        return _reciprocal(found, *ranking.weights)
    top = max((hit.score for hit in found.matching), default=0.0)
    return _sum(
        (MEANING_SHARE, _meaning(found, unrelated)),
        (WORDS_SHARE, _relative(found.matching, lambda score: score / top if top > 0 else 0.0)),
    )


def _meaning(found: Candidates, unrelated: float) -> dict[Passage, float]:
    """Return scores by vector. A passage found by keywords alone gets the lowest of them: it can
    be as near as the last of the nearest, but not nearer.
    """
    nearest = _relative(found.nearest, _closeness(unrelated))
    last = min(nearest.values(), default=0.0)
    return {hit.passage: last for hit in found.matching} | nearest


def _closeness(unrelated: float) -> Callable[[float], float]:
    return lambda cosine: min(1.0, max(0.0, (cosine - unrelated) / (1 - unrelated)))


def _relative(hits: Sequence[Hit], scale: Callable[[float], float]) -> dict[Passage, float]:
    return {hit.passage: scale(hit.score) for hit in hits}


def _reciprocal(found: Candidates, nearest: float, matching: float) -> dict[Passage, float]:
    """Return scores by weighted reciprocal rank fusion; first place in both lists is 1."""

    def places(hits: Sequence[Hit]) -> dict[Passage, float]:
        first = RECIPROCAL_CONSTANT + 1
        return {hit.passage: first / (first + place) for place, hit in enumerate(hits)}

    total = nearest + matching
    return _sum(
        (nearest / total, places(found.nearest)), (matching / total, places(found.matching))
    )


def _sum(*parts: tuple[float, dict[Passage, float]]) -> dict[Passage, float]:
    total: dict[Passage, float] = {}
    for share, scores in parts:
        for passage, score in scores.items():
            total[passage] = total.get(passage, 0.0) + share * score
    return total

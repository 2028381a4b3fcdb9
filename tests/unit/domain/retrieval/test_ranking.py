"""How two lists become one: arithmetic that every index shares."""

from hypothesis import given
from hypothesis import strategies as st

from assistants.domain.ids import FileId, ProjectId, VectorStoreId
from assistants.domain.retrieval.passage import Chunk, Document, Passage
from assistants.domain.retrieval.ranking import Candidates, Hit, Ranking, rank

CLOSE = 0.2  # what the model of these tests gives to unrelated texts


def passage(name: str) -> Passage:
    return Passage(
        Document(ProjectId("p"), VectorStoreId("vs"), FileId(f"file-{name}"), name),
        Chunk(0, name, 0, len(name)),
    )


def hits(**scores: float) -> list[Hit]:
    return [Hit(passage(name), score) for name, score in scores.items()]


def ranked(*found: Candidates, limit: int = 10, **ranking: object) -> dict[str, float]:
    best = rank(found, Ranking(**ranking), unrelated=CLOSE, limit=limit)  # type: ignore[arg-type]
    return {hit.passage.chunk.text: round(hit.score, 6) for hit in best}


def test_meaning_and_words_count_alike() -> None:
    found = Candidates(hits(a=1.0, b=0.6, c=0.2), hits(c=8.0, b=6.0))
    assert ranked(found) == {"b": 0.25 + 0.375, "a": 0.5, "c": 0.5}


def test_what_is_not_among_the_nearest_counts_as_the_last_of_them() -> None:
    found = Candidates(hits(a=1.0, b=0.6), hits(c=8.0))
    assert ranked(found) == {"c": 0.5 + 0.25, "a": 0.5, "b": 0.25}


def test_a_score_does_not_depend_on_what_else_was_found() -> None:
    alone = ranked(Candidates(hits(b=0.6)))
    among = ranked(Candidates(hits(a=0.9, b=0.6, c=0.1)))
    assert alone["b"] == among["b"]


def test_cosines_below_that_of_unrelated_texts_score_nothing() -> None:
    assert ranked(Candidates(hits(a=0.1, b=-1.0, c=1.00001))) == {"a": 0, "b": 0, "c": 0.5}


def test_the_threshold_drops_what_is_below_and_keeps_what_is_at_it() -> None:
    found = Candidates(hits(a=1.0, b=0.6), hits(a=2.0))
    assert ranked(found, score_threshold=0.0) == {"a": 1.0, "b": 0.25}
    assert ranked(found, score_threshold=0.25) == {"a": 1.0, "b": 0.25}
    assert ranked(found, score_threshold=0.26) == {"a": 1.0}
    assert ranked(found, score_threshold=1.0) == {"a": 1.0}


def test_without_a_ranker_only_meaning_counts() -> None:
    found = Candidates(hits(a=1.0, b=0.6), hits(b=9.0, c=8.0))
    assert ranked(found, ranker="none") == {"a": 1.0, "b": 0.5}


def test_given_weights_fuse_the_ranks() -> None:
    found = Candidates(hits(a=0.9, b=0.8), hits(b=5.0, c=4.0))
    even = ranked(found, weights=(1.0, 1.0))
    assert list(even) == ["b", "a", "c"]
    assert even["b"] == round((61 / 62 + 1) / 2, 6)
    assert ranked(found, weights=(1.0, 0.0))["a"] == 1.0
    assert list(ranked(found, weights=(0.0, 3.0))) == ["b", "c", "a"]


def test_the_best_query_decides_a_score() -> None:
    first, second = Candidates(hits(a=0.6, b=1.0)), Candidates(hits(a=1.0))
    assert ranked(first, second) == {"a": 0.5, "b": 0.5}


def test_equal_scores_keep_one_order_and_the_limit_holds() -> None:
    assert list(ranked(Candidates(hits(b=0.5, a=0.5, c=0.5)), limit=2)) == ["a", "b"]
    assert ranked(Candidates()) == {}
    assert ranked() == {}


scores = st.dictionaries(st.sampled_from("abcdef"), st.floats(-1, 1, allow_nan=False))
bm25 = st.dictionaries(st.sampled_from("abcdef"), st.floats(0, 50, allow_nan=False))


@given(nearest=scores, matching=bm25, weights=st.none() | st.just((0.3, 0.7)))
def test_scores_are_between_0_and_1_and_descend(
    nearest: dict[str, float], matching: dict[str, float], weights: tuple[float, float] | None
) -> None:
    found = Candidates(hits(**nearest), hits(**matching))
    best = list(ranked(found, weights=weights).values())
    assert best == sorted(best, reverse=True)
    assert all(0 <= score <= 1 for score in best)
    assert len(best) == len(nearest | matching)

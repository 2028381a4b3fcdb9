"""What an index must do that shows its writes late; each test decides when it shows them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from assistants.domain.filters import Comparison
from assistants.domain.retrieval.passage import Document
from assistants.ports.search import Query, SearchIndex
from tests.support.index_contract import NOWHERE, PROJECT, STORE, chunk, document

EAST, NORTH = [1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]
CHUNKS = 3


@dataclass
class LateIndex:
    """`stored` counts the copies of a document's chunks that have been shown and not removed."""

    index: SearchIndex
    refresh: Callable[[], None]
    stored: Callable[[Document], int]

    def put(self, owner: Document, *texts: str) -> None:
        chunks = [chunk(number, text) for number, text in enumerate(texts or ["word"] * CHUNKS)]
        self.index.put(owner, chunks, [EAST] * len(chunks))

    def find(self, text: str = "word", **options: Any) -> list[str]:
        """Return the texts that match, after checking that the nearest are as many."""
        [found] = self.index.search(PROJECT, [STORE], [Query(text, NOWHERE)], **options)
        matching = [hit.passage.chunk.text for hit in found.matching]
        nearest = [hit.passage.chunk.text for hit in found.nearest]
        assert sorted(matching) == sorted(one for one in nearest if text in one)
        return matching

    def of_year(self, year: int) -> int:
        return len(self.find(condition=Comparison(type="eq", key="year", value=year)))


class LateIndexContract:
    """A subclass offers a fixture `late`: empty, and nothing is shown but by `refresh`."""

    def test_chunks_are_counted_and_found_when_they_are_shown(self, late: LateIndex) -> None:
        owner = document("a")
        late.put(owner)
        assert (late.index.count(owner), late.find()) == (0, [])
        late.refresh()
        assert (late.index.count(owner), late.find()) == (CHUNKS, ["word"] * CHUNKS)

    def test_chunks_that_are_not_shown_yet_are_deleted_later(self, late: LateIndex) -> None:
        owner = document("a")
        late.put(owner)
        late.index.delete(owner, CHUNKS)
        late.refresh()
        assert late.index.count(owner) == CHUNKS
        late.index.delete(owner, CHUNKS)
        assert late.index.count(owner) == CHUNKS
        late.refresh()
        assert (late.index.count(owner), late.stored(owner)) == (0, 0)

    def test_what_is_written_twice_before_it_is_shown_counts_once(self, late: LateIndex) -> None:
        owner = document("a")
        late.put(owner)
        late.put(owner)
        late.refresh()
        assert late.stored(owner) == 2 * CHUNKS
        assert late.index.count(owner) == CHUNKS
        assert late.find() == ["word"] * CHUNKS
        assert not late.index.set_attributes(owner, CHUNKS)
        late.refresh()
        assert late.index.set_attributes(owner, CHUNKS)
        assert late.stored(owner) == late.index.count(owner) == CHUNKS

    def test_the_text_that_was_written_last_counts(self, late: LateIndex) -> None:
        owner = document("a")
        late.put(owner, "word of old")
        late.put(owner, "word of new")
        late.refresh()
        assert late.find() == ["word of new"]
        late.index.set_attributes(owner, 1)
        late.refresh()
        assert late.find("old") == []

    def test_a_chunk_that_is_put_again_replaces_what_is_shown(self, late: LateIndex) -> None:
        owner = document("a")
        late.put(owner)
        late.refresh()
        late.put(owner)
        assert late.find() == ["word"] * CHUNKS
        late.refresh()
        assert late.find() == ["word"] * CHUNKS
        assert late.stored(owner) == CHUNKS

    def test_all_copies_are_deleted(self, late: LateIndex) -> None:
        owner = document("a")
        for _ in range(3):
            late.put(owner)
        late.refresh()
        late.index.delete(owner, CHUNKS)
        late.refresh()
        assert late.stored(owner) == 0

    def test_copies_leave_room_for_other_chunks(self, late: LateIndex) -> None:
        for _ in range(3):
            late.put(document("a"), "word word word")
        late.put(document("b"), "a single word among many others")
        late.refresh()
        assert len(late.find(limit=2)) == 2
        assert len(late.find(limit=1)) == 1

    def test_attributes_reach_chunks_that_were_not_shown_yet(self, late: LateIndex) -> None:
        owner = document("a", year=1)
        late.put(owner)
        newer = replace(owner, attributes={"year": 2})
        assert not late.index.set_attributes(newer, CHUNKS)
        late.refresh()
        assert (late.of_year(1), late.of_year(2)) == (CHUNKS, 0)
        assert not late.index.set_attributes(newer, CHUNKS)
        assert (late.of_year(1), late.of_year(2)) == (CHUNKS, 0)
        late.refresh()
        assert (late.of_year(1), late.of_year(2)) == (0, CHUNKS)
        assert late.index.set_attributes(newer, CHUNKS)

    def test_of_attributes_that_change_at_once_the_last_remain(self, late: LateIndex) -> None:
        owner = document("a", year=1)
        late.put(owner)
        late.refresh()
        for year in (2, 3):
            assert not late.index.set_attributes(replace(owner, attributes={"year": year}), CHUNKS)
        late.refresh()
        newest = replace(owner, attributes={"year": 3})
        assert not late.index.set_attributes(newest, CHUNKS)
        late.refresh()
        assert late.index.set_attributes(newest, CHUNKS)
        assert [late.of_year(year) for year in (1, 2, 3)] == [0, 0, CHUNKS]
        assert late.stored(owner) == CHUNKS

    @pytest.mark.parametrize("value", [True, 1.5, "1"])
    def test_attributes_of_another_kind_are_others(self, late: LateIndex, value: Any) -> None:
        late.put(document("a", year=1))
        late.refresh()
        changed = document("a", year=value)
        assert not late.index.set_attributes(changed, CHUNKS)
        late.refresh()
        assert late.index.set_attributes(changed, CHUNKS)
        assert late.of_year(1) == 0

    def test_a_chunk_keeps_its_text_and_vector_with_other_attributes(self, late: LateIndex) -> None:
        owner = document("a")
        late.put(owner, "east")
        late.index.put(owner, [chunk(1, "north")], [NORTH])
        late.refresh()
        late.index.set_attributes(replace(owner, attributes={"year": 2}), 2)
        late.refresh()
        [found] = late.index.search(PROJECT, [STORE], [Query("north", NORTH)])
        assert [hit.passage.chunk for hit in found.nearest] == [chunk(1, "north"), chunk(0, "east")]
        assert [hit.score for hit in found.nearest] == pytest.approx([1, 0], abs=1e-5)
        assert [hit.passage.chunk.text for hit in found.matching] == ["north"]
        assert found.matching[0].passage.document.attributes == {"year": 2}

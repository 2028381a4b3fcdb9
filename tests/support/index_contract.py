"""The contract of every search index; the tests of each implementation inherit it."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import TypeAdapter

from assistants.domain.filters import Filter, matches
from assistants.domain.ids import FileId, ProjectId, VectorStoreId
from assistants.domain.retrieval.passage import Chunk, Document
from assistants.domain.retrieval.ranking import Hit
from assistants.ports.search import Query, SearchIndex
from tests.support.waiting import wait_until

PROJECT, STORE = ProjectId("proj_a"), VectorStoreId("vs_1")
DIMENSIONS = 4
NOWHERE = [0.5, 0.5, 0.5, 0.5]
FILTER: TypeAdapter[Any] = TypeAdapter(Filter)

ATTRIBUTES: list[dict[str, Any]] = [
    {"k": 5},
    {"k": 4},
    {"k": 6.5},
    {"k": -1e300},
    {"k": 0},
    {"k": "5"},
    {"k": "2024-06-01"},
    {"k": "\U0001f600"},
    {"k": True},
    {"k": False},
    {},
    {"other": 5},
    {"k:number": 5, 'quo"te': "*) OR (k"},
]
CONDITIONS: list[dict[str, Any]] = [
    {"type": comparison, "key": "k", "value": value}
    for comparison in ("eq", "ne", "gt", "gte", "lt", "lte")
    for value in (5, -0.0, "5", "2024", "\uffff")
] + [
    {"type": "eq", "key": "k", "value": True},
    {"type": "ne", "key": "k", "value": False},
    {"type": "in", "key": "k", "value": [5, "5", True]},
    {"type": "nin", "key": "k", "value": [5, "5", True]},
    {"type": "eq", "key": 'quo"te', "value": "*) OR (k"},
    {"type": "eq", "key": "k", "value": "*"},
    {
        "type": "and",
        "filters": [
            {"type": "gt", "key": "k", "value": -1},
            {
                "type": "or",
                "filters": [
                    {"type": "lt", "key": "k", "value": 5},
                    {"type": "eq", "key": "k", "value": 6.5},
                ],
            },
        ],
    },
]
QUERIES = [
    "",
    "  ",
    '"',
    "word\u0000",
    "???",
    "x OR",
    "NEAR(",
    "* ",
    "body:word",
    "-",
    "\U0001f680",
]
QUERIES += ["word " * 5_000, "w" * 50_000, " ".join(map(str, range(5_000))), "漢字" * 2_000]


def document(name: str, *, store: str = STORE, project: str = PROJECT, **more: Any) -> Document:
    ids = ProjectId(project), VectorStoreId(store), FileId(f"file-{name}")
    return Document(*ids, more.pop("entry_id", "1"), f"{name}.txt", more)


def chunk(number: int, text: str) -> Chunk:
    return Chunk(number, text, 0, len(text), pages=(1, 2), headings=("Part", "Chapter"))


def files(hits: Any) -> list[str]:
    return [hit.passage.document.file_id.removeprefix("file-") for hit in hits]


def settle_count(index: SearchIndex, owner: Document, chunks: int) -> None:
    wait_until(lambda: index.count(owner) == chunks)


class IndexContract:
    """A subclass offers a fixture `index`: empty, for vectors of `DIMENSIONS`."""

    def add(
        self, index: SearchIndex, owner: Document, *texts: str, at: list[float] | None = None
    ) -> None:
        chunks = [chunk(number, text) for number, text in enumerate(texts)]
        index.put(owner, chunks, [at or NOWHERE] * len(chunks))
        settle_count(index, owner, len(chunks))

    def remove(self, index: SearchIndex, owner: Document, chunks: int) -> None:
        index.delete(owner, chunks)
        settle_count(index, owner, 0)

    def find(self, index: SearchIndex, text: str = "word", **options: Any) -> list[Hit]:
        """Search by words in one project's store."""
        return list(self.search(index, text, **options).matching)

    def near(self, index: SearchIndex, vector: list[float], **options: Any) -> list[Hit]:
        return list(self.search(index, "", vector=vector, **options).nearest)

    def search(self, index: SearchIndex, text: str, **options: Any) -> Any:
        query = Query(text, options.pop("vector", NOWHERE))
        project, stores = options.pop("project", PROJECT), options.pop("stores", [STORE])
        (found,) = index.search(project, stores, [query], **options)
        return found

    def test_the_nearest_come_in_order_with_their_cosine(self, index: SearchIndex) -> None:
        self.add(index, document("far"), "word", at=[0.0, 1.0, 0.0, 0.0])
        self.add(index, document("near"), "word", at=[0.8, 0.6, 0.0, 0.0])
        self.add(index, document("opposite"), "word", at=[-1.0, 0.0, 0.0, 0.0])
        hits = self.near(index, [1.0, 0.0, 0.0, 0.0])
        assert files(hits) == ["near", "far", "opposite"]
        assert [hit.score for hit in hits] == pytest.approx([0.8, 0.0, -1.0], abs=1e-5)

    def test_more_and_rarer_words_of_the_query_match_better(self, index: SearchIndex) -> None:
        for number in range(8):
            self.add(index, document(f"filler{number}"), "the common word of every file")
        self.add(index, document("one"), "the common word and a zebra")
        self.add(index, document("two"), "a zebra and an okapi together")
        assert files(self.find(index, "okapi zebra", limit=2)) == ["two", "one"]
        assert files(self.find(index, "common zebra", limit=1)) == ["one"]

    def test_stop_words_count_only_when_there_is_nothing_else(self, index: SearchIndex) -> None:
        self.add(index, document("hamlet"), "To be, or not to be")
        self.add(index, document("manual"), "The jam is in the tray")
        assert files(self.find(index, "is the jam to be?")) == ["manual"]
        assert files(self.find(index, "to be or not to be")) == ["hamlet"]

    def test_filename_and_headings_are_searched_and_not_shown(self, index: SearchIndex) -> None:
        self.add(index, document("handbook"), "nothing of it here")
        (hit,) = self.find(index, "handbook chapter")
        assert hit.passage.chunk.text == "nothing of it here"

    def test_a_passage_comes_back_as_it_went_in(self, index: SearchIndex) -> None:
        owner = document("a", year=2024, score=0.5, draft=False, author="Ada \U0001f680")
        text = "zebra \U0001f680 \u0000 \u202e \r\n\t e\u0301 <b>&amp;</b> 漢字"
        self.add(index, owner, "first", text)
        (hit,) = self.find(index, "zebra")
        assert hit.passage.chunk == chunk(1, text)
        assert hit.passage.document == owner
        assert hit.passage.document.filename == "a.txt"
        assert hit.passage.document.attributes == owner.attributes
        assert [type(value) for value in hit.passage.document.attributes.values()] == [
            type(value) for value in owner.attributes.values()
        ]

    def test_writing_again_replaces(self, index: SearchIndex) -> None:
        owner = document("a")
        self.add(index, owner, "zebra", "okapi")
        self.add(index, owner, "lion", "okapi")
        wait_until(lambda: not self.find(index, "zebra"))
        assert [hit.passage.chunk.text for hit in self.find(index, "lion")] == ["lion"]
        assert len(self.near(index, NOWHERE)) == 2

    def test_deleted_chunks_are_gone_and_only_they(self, index: SearchIndex) -> None:
        self.add(index, document("a"), "word", "word", "word")
        self.add(index, document("b"), "word")
        self.remove(index, document("a"), 3)
        self.remove(index, document("a"), 3)
        assert files(self.find(index)) == ["b"]
        assert files(self.near(index, NOWHERE)) == ["b"]
        assert index.count(document("unknown")) == 0

    def test_two_memberships_of_a_file_are_two_documents(self, index: SearchIndex) -> None:
        first, second = document("a", entry_id="1"), document("a", entry_id="2")
        self.add(index, first, "zebra", "zebra")
        self.add(index, second, "zebra")
        self.remove(index, first, 2)
        assert index.count(second) == 1
        assert [hit.passage.document for hit in self.find(index, "zebra")] == [second]

    def test_no_project_or_store_sees_another(self, index: SearchIndex) -> None:
        self.add(index, document("mine"), "word")
        self.add(index, document("store", store="vs_2"), "word")
        self.add(index, document("theirs", project="proj_b"), "word")
        self.add(index, document("mine", project="proj_b", store="vs_3"), "word")
        for look in (self.find, lambda index, **more: self.near(index, NOWHERE, **more)):
            assert files(look(index)) == ["mine"]
            assert sorted(files(look(index, stores=["vs_1", "vs_2"]))) == ["mine", "store"]
            assert files(look(index, project="proj_b", stores=["vs_1", "vs_2"])) == ["theirs"]
            for stores in ([], ["vs_3"], ["*"], ["vs_"], ['vs_9" OR "vs_1'], ["proj_b#vs_1"]):
                assert look(index, stores=stores) == []
        self.remove(index, document("mine", project="proj_b", store="vs_3"), 1)
        assert files(self.find(index)) == ["mine"]

    @pytest.mark.parametrize("text", QUERIES)
    def test_a_query_is_words_whatever_it_holds(self, index: SearchIndex, text: str) -> None:
        self.add(index, document("a"), "word")
        found = self.search(index, text)
        assert files(found.nearest) == ["a"]
        assert files(found.matching) == (["a"] if "word" in text else [])

    def test_every_filter_passes_the_files_that_match(self, index: SearchIndex) -> None:
        for number, attributes in enumerate(ATTRIBUTES):
            owner = replace(document(str(number)), attributes=attributes)
            self.add(index, owner, "word")
        for condition in map(FILTER.validate_python, CONDITIONS):
            expected = [str(n) for n, one in enumerate(ATTRIBUTES) if matches(condition, one)]
            for look in (self.find, lambda index, **more: self.near(index, NOWHERE, **more)):
                assert sorted(files(look(index, condition=condition)), key=int) == expected

    def test_filters_narrow_before_the_limit(self, index: SearchIndex) -> None:
        for number in range(30):
            self.add(index, document(f"near{number}"), "word word word", at=[1.0, 0.0, 0.0, 0.0])
        self.add(index, document("far", wanted=True), "a word", at=[0.0, 1.0, 0.0, 0.0])
        condition = FILTER.validate_python({"type": "eq", "key": "wanted", "value": True})
        found = self.search(
            index, "word", vector=[1.0, 0.0, 0.0, 0.0], condition=condition, limit=3
        )
        assert files(found.nearest) == files(found.matching) == ["far"]

    def test_documents_can_be_left_out_before_the_limit(self, index: SearchIndex) -> None:
        near = [document(f"near{number}") for number in range(5)]
        for one in near:
            self.add(index, one, "word word word", at=[1.0, 0.0, 0.0, 0.0])
        self.add(index, document("far"), "a word", at=[0.0, 1.0, 0.0, 0.0])
        found = self.search(index, "word", vector=[1.0, 0.0, 0.0, 0.0], without=near, limit=3)
        assert files(found.nearest) == files(found.matching) == ["far"]

    def test_changed_attributes_decide_from_then_on(self, index: SearchIndex) -> None:
        self.add(index, document("a", year=2020), "word", "word")
        newer = document("a", year=2024)
        wait_until(lambda: index.set_attributes(newer, 2))
        condition = FILTER.validate_python({"type": "gte", "key": "year", "value": 2024})
        wait_until(lambda: len(self.find(index, condition=condition)) == 2)
        (first, _) = self.near(index, NOWHERE, condition=condition)
        assert first.passage.document.attributes == {"year": 2024}
        assert files(self.find(index, "word")) == ["a", "a"]

    def test_attributes_of_what_is_gone_change_nothing(self, index: SearchIndex) -> None:
        index.set_attributes(document("a", year=2024), 2)
        assert index.count(document("a")) == 0

    def test_queries_are_answered_in_their_order_within_the_limit(self, index: SearchIndex) -> None:
        self.add(index, document("zebra"), "zebra", "zebra", at=[1.0, 0.0, 0.0, 0.0])
        self.add(index, document("okapi"), "okapi", at=[0.0, 1.0, 0.0, 0.0])
        queries = [Query("okapi", [0.0, 1.0, 0.0, 0.0]), Query("zebra", [1.0, 0.0, 0.0, 0.0])]
        okapi, zebra = index.search(PROJECT, [STORE], queries, limit=1)
        assert files(okapi.nearest) == files(okapi.matching) == ["okapi"]
        assert files(zebra.nearest) == files(zebra.matching) == ["zebra"]
        assert index.search(PROJECT, [STORE], []) == []

    def test_a_vector_of_another_dimension_is_refused(self, index: SearchIndex) -> None:
        with pytest.raises(ValueError, match="4 dimensions"):
            index.put(document("a"), [chunk(0, "word")], [[1.0, 0.0]])
        assert index.count(document("a")) == 0

    def test_an_index_can_be_woken(self, index: SearchIndex) -> None:
        index.wake()


class WordsContract(IndexContract):
    """The same, of an index that cuts texts into words by itself."""

    def test_words_match_in_all_their_forms_and_scripts(self, index: SearchIndex) -> None:
        self.add(index, document("english"), "Installing the printers took days")
        self.add(index, document("german"), "Über die Brücke")
        self.add(index, document("japanese"), "誕生日おめでとうございます")
        self.add(index, document("emoji"), "launch \U0001f680 day, p\u00e8re No\u00ebl")
        self.add(index, document("hindi"), "हिन्दी में")
        self.add(index, document("code"), "call os.path.join(x) with user@example.com, 3.14")
        assert files(self.find(index, "INSTALLED printer")) == ["english"]
        assert files(self.find(index, "uber brucke")) == ["german"]
        assert files(self.find(index, "誕生")) == ["japanese"]
        assert files(self.find(index, "NOËL")) == ["emoji"]
        assert files(self.find(index, "user@example.com")) == ["code"]
        assert files(self.find(index, "path")) == ["code"]
        assert files(self.find(index, "हिन्दी")) == ["hindi"]
        assert self.find(index, "हि") == []
        assert self.find(index, "elephant") == []

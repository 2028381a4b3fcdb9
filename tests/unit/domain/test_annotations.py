"""Text with sources: markers and links become annotations wherever the text is split."""

import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assistants.domain.annotation import LINK, AnnotatedText, Citation, Piece, Sources
from assistants.domain.ids import FileId

SOURCES = Sources(
    citations={
        "0:0": Citation(FileId("file-a"), "first"),
        "0:1": Citation(FileId("file-b"), "second"),
    },
    files={"a.csv": "file-1", "a b.csv": "file-2", "a.csv.gz": "file-3", "sub/ü.txt": "file-4"},
)
FRAGMENTS = [
    *("【", "】", "†", "0", "1", ":", "0:0", "9:9", "s", "sandbox", "/mnt/data/", "a.csv", "."),
    *(LINK, f"{LINK}a.csv", f"{LINK}a b.csv", f"{LINK}a%20b.csv", "gz", " b", ")", "\n", "🙂"),
    *("【0:0†a.pdf】", "【0:1】", "【4:2†source】", "plain ", "【0:0†", "重要"),
]
texts = st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=3), max_size=12).map("".join)


def read(parts: list[str], *, cites: bool = True, sources: Sources = SOURCES) -> Piece:
    text = AnnotatedText(sources, cites=cites)
    read = [text.read(part) for part in parts]
    return sum(read, Piece()) + text.finish()


def split(text: str, places: list[int]) -> list[str]:
    bounds = [0, *sorted(min(place, len(text)) for place in places), len(text)]
    return [text[start:end] for start, end in pairwise(bounds)]


@given(texts, st.lists(st.integers(0, 80)))
@example(f"see {LINK}a.csv.", [22, 23])
@example("【0:0†a】【0:1】【9:9】", [1, 4, 9])
def test_any_split_of_a_text_has_the_same_annotations(text: str, places: list[int]) -> None:
    whole = read([text])
    assert read(split(text, places)) == whole
    assert read(list(text)) == whole


@given(texts)
def test_an_annotation_holds_the_very_text_that_it_points_at(text: str) -> None:
    piece = read([text])
    end = 0
    for annotation in piece.annotations:
        assert annotation["start_index"] >= end
        end = annotation["end_index"]
        assert piece.value[annotation["start_index"] : end] == annotation["text"]


@given(texts)
def test_every_marker_that_is_left_is_cited(text: str) -> None:
    piece = read([text])
    cited = {(each["start_index"], each["end_index"]) for each in piece.annotations}
    # Taking a marker out can make another one of what stood around it; that is text.
    if len(piece.value) == len(text):
        found = re.finditer(r"【[0-9]{1,6}:[0-9]{1,6}(?:†[^【】\n]{0,200})?】", piece.value)
        assert {marker.span() for marker in found} <= cited


@given(texts)
def test_without_sources_a_text_is_left_as_it_is(text: str) -> None:
    nothing = AnnotatedText(Sources(), cites=False)
    assert nothing.read(text) == Piece(text)


def test_a_marker_names_its_passage() -> None:
    piece = read(["🙂 It is so 【0:1†report.pdf】."])
    assert piece.value == "🙂 It is so 【0:1†report.pdf】."
    assert piece.annotations == (
        {
            "type": "file_citation",
            "text": "【0:1†report.pdf】",
            "start_index": 11,
            "end_index": 27,
            "file_citation": {"file_id": "file-b", "quote": "second"},
        },
    )


def test_a_link_names_its_file() -> None:
    piece = read([f"[Download]({LINK}a%20b.csv)"])
    assert piece.annotations == (
        {
            "type": "file_path",
            "text": f"{LINK}a%20b.csv",
            "start_index": 11,
            "end_index": 38,
            "file_path": {"file_id": "file-2"},
        },
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Known 【0:0】, unknown 【7:0†x】.", "Known 【0:0】, unknown ."),
        ("Half a marker 【0:0†rep", "Half a marker "),
        ("Half a marker 【", "Half a marker "),
        ("【重要】 is no marker", "【重要】 is no marker"),
        ("items[0:0] is no marker", "items[0:0] is no marker"),
        ("【0:0†" + "x" * 201 + "】", "【0:0†" + "x" * 201 + "】"),
    ],
)
def test_only_markers_of_known_passages_are_shown(text: str, shown: str) -> None:
    assert read([text]).value == shown
    assert read(list(text)).value == shown


@pytest.mark.parametrize(
    ("after", "file_id"),
    [
        ("a.csv", "file-1"),
        ("a.csv.", "file-1"),
        ("a.csv. Then", "file-1"),
        ("a.csv)", "file-1"),
        ("a b.csv", "file-2"),
        ("a bird", None),
        ("a.csv.gz", "file-3"),
        ("a.csv.bak", None),
        ("a.csvs", None),
        ("sub/ü.txt", "file-4"),
        ("sub/%C3%BC.txt", "file-4"),
        ("", None),
    ],
)
def test_a_link_is_annotated_if_it_is_one_to_a_file(after: str, file_id: str | None) -> None:
    text = f"Here: {LINK}{after}"
    piece = read(list(text))
    assert piece.value == text
    assert [each["file_path"]["file_id"] for each in piece.annotations] == (
        [file_id] if file_id else []
    )


def test_text_is_held_back_only_while_it_may_become_a_source() -> None:
    text = AnnotatedText(SOURCES, cites=True)
    settled = [
        text.read(part).value for part in ("So 【", "0:", "0†a", "】 and 【重", "】 sand", "y")
    ]
    assert settled == ["So ", "", "", "【0:0†a】 and 【重", "】 ", "sandy"]

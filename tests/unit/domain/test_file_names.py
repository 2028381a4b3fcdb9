"""Names that files get in a session, whatever they were uploaded as."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants.domain.file_names import distinct, safe
from functions.sandbox.sandboxd.names import is_valid


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("sales.csv", "sales.csv"),
        ("Übung 1.csv", "Übung 1.csv"),
        ("/etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("../..", "file"),
        ("", "file"),
        (".hidden", "hidden"),
        ("a\nb\u202ecsv.exe", "a_b_csv.exe"),
        ("dir/", "dir"),
        ("x" * 300 + ".csv", "x" * 196 + ".csv"),
        ("ü" * 300 + ".csv", "ü" * 98 + ".csv"),
        ("a." + "x" * 300, "a." + "x" * 198),
    ],
)
def test_names_become_safe_and_keep_what_they_can(filename: str, name: str) -> None:
    assert safe(filename) == name


def test_equal_names_are_numbered() -> None:
    names = ["a.csv", "a.csv", "a-2.csv", "a.csv", "b", "b"]
    assert distinct(names) == ["a.csv", "a-2.csv", "a-2-2.csv", "a-3.csv", "b", "b-2"]


@given(st.lists(st.text(), max_size=20))
def test_any_names_become_different_ones_that_the_session_takes(filenames: list[str]) -> None:
    names = distinct([safe(filename) for filename in filenames])
    assert len(set(names)) == len(filenames)
    assert all(is_valid(name) and "/" not in name for name in names)

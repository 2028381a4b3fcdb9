"""The embedded index: the contract of every index, and what is special about a file."""

import multiprocessing
from pathlib import Path

import pytest

from assistants.adapters.search.sqlite import SqliteIndex
from assistants.ports.search import SearchIndex, SearchUnavailableError
from tests.support.index_contract import (
    DIMENSIONS,
    NOWHERE,
    WordsContract,
    chunk,
    document,
)


def opened(path: Path) -> SqliteIndex:
    return SqliteIndex(path, model="hashing", dimensions=DIMENSIONS)


def write(path: Path, name: str) -> None:
    index = opened(path)
    for number in range(20):
        index.put(document(name), [chunk(number, "word")], [NOWHERE])


class TestSqliteIndex(WordsContract):
    @pytest.fixture
    def index(self, tmp_path: Path) -> SearchIndex:
        return opened(tmp_path / "search.sqlite")


def test_what_one_process_writes_another_finds(tmp_path: Path) -> None:
    path = tmp_path / "search.sqlite"
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=write, args=(path, name)) for name in ("a", "b")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    index = opened(path)
    assert [index.count(document(name)) for name in ("a", "b")] == [20, 20]


def test_an_index_keeps_to_its_model(tmp_path: Path) -> None:
    path = tmp_path / "search.sqlite"
    opened(path)
    with pytest.raises(ValueError, match="'hashing', 4"):
        SqliteIndex(path, model="another", dimensions=DIMENSIONS)
    with pytest.raises(ValueError, match="not \\('hashing', 8\\)"):
        SqliteIndex(path, model="hashing", dimensions=8)


def test_a_damaged_file_is_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "search.sqlite"
    index = opened(path)
    index.put(document("a"), [chunk(0, "word")], [NOWHERE])
    index._connection.execute("DROP TABLE vectors")
    with pytest.raises(SearchUnavailableError, match="no such table"):
        index.delete(document("a"), 1)

"""One session for each platform, shared by all tests: it has to survive them all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.platforms import KINDS, Session, session


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "abuse(number): an item of the list in abuse.py")


@pytest.fixture(scope="session", params=KINDS)
def sandbox(request: pytest.FixtureRequest) -> Iterator[Session]:
    with session(request.param) as running:
        yield running


@pytest.fixture(scope="session")
def other_peoples_file() -> Iterator[Path]:
    """A file that every user of this machine can read, outside of any sandbox."""
    directory = Path(tempfile.mkdtemp(dir="/var/tmp"))
    path = directory / "secret"
    path.write_text("ESCAPED")
    directory.chmod(0o755)
    path.chmod(0o644)
    yield path
    shutil.rmtree(directory)

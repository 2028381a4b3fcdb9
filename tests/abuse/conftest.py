"""Fixtures of the attacks: their marker, and a file that no sandbox may read."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "abuse(number): an item of the list in attacks.py")


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

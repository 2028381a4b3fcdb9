"""Lets an edit of a function's source count from its next invocation on."""

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from infra.local.functions import HostedFunction

PERIOD_SECONDS = 0.5


class LiveEdits:
    """Looks at the sources of the functions now and then, and renews those that have changed.

    `announce` is called with the logical ids of the renewed functions.
    """

    def __init__(
        self, functions: Mapping[str, HostedFunction], announce: Callable[[list[str]], None]
    ) -> None:
        self._functions = functions
        self._announce = announce
        self._seen = self._look()
        self._closed = threading.Event()
        threading.Thread(target=self._watch, name="live edits", daemon=True).start()

    def close(self) -> None:
        self._closed.set()

    def _watch(self) -> None:
        while not self._closed.wait(PERIOD_SECONDS):
            before, self._seen = self._seen, self._look()
            changed = {folder for folder, state in self._seen.items() if before[folder] != state}
            renewed = [name for name, one in self._functions.items() if changed & _folders(one)]
            for name in renewed:
                self._functions[name].renew()
            if renewed:
                self._announce(renewed)

    def _look(self) -> dict[Path, frozenset[tuple[Path, int]]]:
        folders = set().union(*map(_folders, self._functions.values()))
        return {folder: frozenset(_modules(folder)) for folder in folders}


def _folders(function: HostedFunction) -> set[Path]:
    return {function.spec.code, *function.spec.layers}


def _modules(folder: Path) -> Iterator[tuple[Path, int]]:
    for parent, _, names in os.walk(folder):
        for path in (Path(parent, name) for name in names if name.endswith(".py")):
            with suppress(FileNotFoundError):  # an editor replaces files
                yield path, path.stat().st_mtime_ns

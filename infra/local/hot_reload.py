"""Reload functions whose source has been edited, from their next invocation on."""

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from infra.local.functions import HostedFunction

PERIOD_SECONDS = 0.5


class HotReload:
    """Watch the sources of functions, and restart the workers of those that change.

    `announce` is called with the logical ids of these functions.
    """

    def __init__(
        self, functions: Mapping[str, HostedFunction], announce: Callable[[list[str]], None]
    ) -> None:
        self._functions = functions
        self._announce = announce
        self._seen = self._look()
        self._closed = threading.Event()
        threading.Thread(target=self._watch, name="hot reload", daemon=True).start()

    def close(self) -> None:
        self._closed.set()

    def _watch(self) -> None:
        while not self._closed.wait(PERIOD_SECONDS):
            before, self._seen = self._seen, self._look()
            changed = {folder for folder, state in self._seen.items() if before[folder] != state}
            edited = [name for name, one in self._functions.items() if changed & _folders(one)]
            for name in edited:
                self._functions[name].restart()
            if edited:
                self._announce(edited)

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

"""A progress bar on standard error: redrawn on a terminal, elsewhere a line for every tenth."""

import sys
from typing import TextIO

WIDTH = 40
_STEP = 10  # percent


class ProgressBar:
    def __init__(self, total: int, output: TextIO | None = None) -> None:
        self._total = total
        self._output = output or sys.stderr
        self._shown = -1  # percent

    def show(self, done: int, failed: int) -> None:
        ended = done + failed
        percent = 100 * ended // self._total if self._total else 100
        counts = f"{ended} of {self._total} files, {failed} failed"
        if self._output.isatty():
            filled = WIDTH * percent // 100
            bar = "#" * filled + "." * (WIDTH - filled)
            self._output.write(f"\r[{bar}] {percent:3}% {counts}")
        elif self._shown < 0 or percent // _STEP > self._shown // _STEP:
            self._output.write(f"{percent:3}% {counts}\n")
            self._shown = percent
        self._output.flush()

    def close(self) -> None:
        """End the line that was redrawn."""
        if self._output.isatty():
            self._output.write("\n")

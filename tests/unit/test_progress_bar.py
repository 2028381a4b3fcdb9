"""Progress is shown in place on a terminal, and in few lines elsewhere."""

import io

import pytest

from assistants.cli.progress_bar import ProgressBar


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def drawn(output: io.StringIO, total: int, *steps: int) -> str:
    bar = ProgressBar(total, output)
    for step in steps:
        bar.show(step, 0)
    bar.close()
    return output.getvalue()


def test_a_terminal_sees_one_line_that_is_redrawn() -> None:
    assert drawn(Terminal(), 4, 0, 1, 4) == (
        "\r[........................................]   0% 0 of 4 files, 0 failed"
        "\r[##########..............................]  25% 1 of 4 files, 0 failed"
        "\r[########################################] 100% 4 of 4 files, 0 failed\n"
    )


@pytest.mark.parametrize(("total", "lines"), [(1000, 11), (3, 4), (0, 1)])
def test_a_log_gets_a_line_for_every_tenth(total: int, lines: int) -> None:
    written = drawn(io.StringIO(), total, *range(total + 1))
    assert written.count("\n") == lines
    assert written.endswith(f"100% {total} of {total} files, 0 failed\n")


def test_failures_count_as_ended() -> None:
    output = io.StringIO()
    ProgressBar(4, output).show(1, 3)
    assert output.getvalue() == "100% 4 of 4 files, 3 failed\n"

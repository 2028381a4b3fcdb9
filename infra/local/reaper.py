"""Kills the workers when their parent has died, however it died (`python -I -S reaper.py`).

Standard input is a pipe held by the parent: lines `+PID` and `-PID` register and forget process
groups, and its end, which even SIGKILL of the parent brings, kills those that are left.
"""

import os
import signal
import sys
from contextlib import suppress


def main() -> None:
    groups: set[int] = set()
    for line in sys.stdin:
        if line.startswith("+"):
            groups.add(int(line))
        else:
            groups.discard(-int(line))
    for group in groups:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()

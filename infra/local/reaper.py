"""Kill the workers after their parent has died, however it died (`python -I -S reaper.py`).

Standard input is a pipe from the parent: lines `+PID` and `-PID` register and remove process
groups. When it ends, which even SIGKILL of the parent brings about, the groups that are left are
killed.
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

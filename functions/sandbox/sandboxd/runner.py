"""The kernel process: confine itself, then execute code until the daemon hangs up.

Everything here shares its process with hostile code. The daemon trusts nothing that it sends.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from .channel import Channel
from .confinement import Confinement, confine

if TYPE_CHECKING:
    from .shell import Shell


def allow_interrupts(wanted: bool) -> None:
    """Let SIGINT stop the code, or not; earlier code may have set a handler of its own."""
    signal.signal(signal.SIGINT, signal.default_int_handler if wanted else signal.SIG_IGN)


def execute(shell: Shell, code: str) -> str | None:
    """Execute code; return the name of its exception, None if there was none."""
    failure: BaseException | None
    try:
        allow_interrupts(True)
        failure = shell.execute(code)
        allow_interrupts(False)
    except KeyboardInterrupt as interrupt:  # in the shell's own work before or after the code
        allow_interrupts(False)
        failure = interrupt
    return type(failure).__name__ if failure is not None else None


def flush() -> None:
    """Flush the code's output, unless the code has closed or replaced its streams."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, OSError, ValueError):
            continue


def serve(channel: Channel) -> None:
    """Confine this process as the first frame says, then execute the code that arrives.

    Raises EOFError when the daemon has gone.
    """
    order = channel.receive()
    abi = confine(Confinement.from_message(order["confinement"]), order["parent"])
    # Not earlier: root without CAP_DAC_OVERRIDE cannot enter it.
    os.chdir(order["data"])
    allow_interrupts(False)
    # Nothing of IPython and the packages runs before this process is confined.
    from . import shell as ipython

    shell = ipython.start(channel.send)
    for statement in order["preload"]:
        shell.execute(statement, silent=True)
    # Modules among the user's data can be imported, but do not replace the preloaded ones.
    sys.path.insert(0, "")
    channel.send({"type": "ready", "landlock": abi})
    own = os.getpid()
    while True:
        execution = channel.receive()
        error = execute(shell, execution["code"])
        flush()
        if os.getpid() != own:
            # This is a fork of the code that has reached its end.
            os._exit(0 if error is None else 1)
        channel.send({"type": "done", "id": execution["id"], "error": error})


def main() -> None:
    """Run as `python -m sandboxd.runner DESCRIPTOR`, the descriptor of the control channel."""
    # The daemon ignores its children's ends, and that would be inherited.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    channel = Channel(int(sys.argv[1]))
    # `-m` put the directory of this package first; the code's arguments are none.
    sys.path.pop(0)
    sys.argv = [""]
    try:
        serve(channel)
    except EOFError:
        # No interpreter shutdown: it could wait for the user's threads.
        os._exit(0)


if __name__ == "__main__":
    main()

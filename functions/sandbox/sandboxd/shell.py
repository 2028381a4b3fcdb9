"""The IPython shell inside the sandbox: results and prints as text, plots as images."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

from . import limits

if TYPE_CHECKING:
    from IPython.core.formatters import DisplayFormatter

Send = Callable[[dict[str, Any]], None]

_IMAGES = ("image/png", "image/jpeg")
_SHOWN = ["text/plain", *_IMAGES]


class Publisher(DisplayPublisher):
    """Send what `display()` and pyplot show."""

    send: Send

    def publish(self, data: dict[str, Any], *_: object, **__: object) -> None:
        """Send the first image, or print the text."""
        for mime in _IMAGES:
            if mime in data:
                encoded = data[mime]
                if isinstance(encoded, bytes):
                    encoded = base64.b64encode(encoded).decode()
                self.send({"type": "image", "mime": mime, "data": encoded})
                return
        if "text/plain" in data:
            print(data["text/plain"])

    def clear_output(self, wait: bool = False) -> None:
        """Do nothing: there is no screen to clear."""


class ResultHook(DisplayHook):
    """Show the value of the code's last expression as `display()` would, without a prompt."""

    def write_output_prompt(self) -> None:
        """Print no `Out[1]:`."""

    def write_format_data(self, format_dict: dict[str, Any], *_: object, **__: object) -> None:
        """Show one value."""
        display = cast("Shell", self.shell).display_pub
        display.publish(format_dict)


class Shell(InteractiveShell):
    """A shell without history, colours, prompts and terminal."""

    display_pub_class = Type(Publisher)
    displayhook_class = Type(ResultHook)

    async def run_code(self, *arguments: Any, **options: Any) -> bool:
        """Run compiled code, without the reserve of memory."""
        limits.open_reserve(False)
        try:
            failed: bool = await super().run_code(*arguments, **options)  # type: ignore[no-untyped-call]
            return failed
        finally:
            limits.open_reserve(True)

    def showtraceback(self, *arguments: Any, **options: Any) -> None:
        """Print a traceback, with the reserve of memory."""
        limits.open_reserve(True)
        super().showtraceback(*arguments, **options)

    def execute(self, code: str, *, silent: bool = False) -> BaseException | None:
        """Execute code; return its exception, None if there was none."""
        outcome = self.run_cell(code, store_history=not silent, silent=silent)  # type: ignore[no-untyped-call]
        return cast("BaseException | None", outcome.error_in_exec or outcome.error_before_exec)

    def ask_exit(self) -> None:
        """Do nothing on `exit()`: the session goes on."""

    # The default runs `!command` on a pseudo-terminal of its own, past the output pipe.
    system = InteractiveShell.system_raw


def start(send: Send) -> Shell:
    """Return the process's one shell; images go to `send`."""
    config = Config()
    config.HistoryManager.enabled = False
    config.HistoryManager.hist_file = ":memory:"
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.xmode = "Context"
    config.InteractiveShell.cache_size = 0
    shell = Shell.instance(config=config)
    cast("DisplayFormatter", shell.display_formatter).active_types = _SHOWN
    cast("Publisher", shell.display_pub).send = send
    return shell

"""What comes of executed code, in words for the model and in outputs for clients."""

from collections.abc import Iterator, Sequence
from typing import Any

from assistants.ports.sandbox import Execution, Reason
from assistants.services.tools.code_interpreter.execution import Cell
from assistants.services.tools.code_interpreter.output_files import Kept

TOLD_CHARACTERS = 16_000

_LISTED = 30  # files by name
_REASONS: dict[Reason, str] = {
    "timeout": "The code was stopped because it took too long.",
    "cancelled": "The code was cancelled.",
    "output": "The code was stopped because it printed too much.",
    "memory": "The code was stopped because it needed too much memory.",
    "disk": "The code was stopped because it filled the disk.",
    "exited": "The Python process ended.",
    "protocol": "The Python process broke.",
}
RENEWED = (
    "This is a new session: the variables of earlier code, and the files that it wrote to "
    "/mnt/data, are gone."
)


def told(cell: Cell, kept: Kept) -> str:
    """What the model reads: the logs, and what it must know; of each at most 16,000 characters."""
    logs = cut(cell.execution.logs).rstrip("\n") or "(no output)"
    notes = [*_state(cell), *_shown(kept), *cell.notes, *kept.notes]
    if cell.execution.skipped:
        notes.append(f"{cell.execution.skipped} images or files were not taken.")
    return "\n".join([logs, cut("\n".join(f"[{note}]" for note in notes))]).rstrip("\n")


def outputs(execution: Execution, images: Sequence[str]) -> list[dict[str, Any]]:
    """The call's outputs, in the form of a delta."""
    logs: list[dict[str, Any]] = []
    if execution.logs:
        logs = [{"type": "logs", "logs": execution.logs}]
    shown = [{"type": "image", "image": {"file_id": file_id}} for file_id in images]
    return [{"index": index, **each} for index, each in enumerate([*logs, *shown])]


def cut(text: str) -> str:
    """The beginning and the end of a long text."""
    if len(text) <= TOLD_CHARACTERS:
        return text
    half = TOLD_CHARACTERS // 2
    left_out = len(text) - 2 * half
    return f"{text[:half]}\n[… {left_out:,} characters left out …]\n{text[-half:]}"


def _state(cell: Cell) -> Iterator[str]:
    if cell.renewed:
        yield RENEWED
    if cell.execution.reason:
        yield _REASONS[cell.execution.reason]
    if cell.execution.lost:
        yield "All variables are gone; the files in /mnt/data are still there."


def _shown(kept: Kept) -> Iterator[str]:
    if kept.images:
        count = len(kept.images)
        yield f"{count} image{'s' if count > 1 else ''} shown to the user."
    if paths := list(kept.made):
        listed = ", ".join(paths[:_LISTED])
        rest = f" and {len(paths) - _LISTED} more" if len(paths) > _LISTED else ""
        yield (
            f"New files: {listed}{rest}. Give one to the user by a link, such as "
            f"[{paths[0]}](sandbox:/mnt/data/{paths[0]})."
        )

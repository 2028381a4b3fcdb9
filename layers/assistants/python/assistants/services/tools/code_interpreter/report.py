"""The result of executed code: as text for the model, and as outputs for clients."""

from collections.abc import Iterator, Sequence
from typing import Any

from assistants.domain.ids import FileId
from assistants.ports.sandbox import Execution, Reason
from assistants.services.tools.code_interpreter.execution import ExecutedCode
from assistants.services.tools.code_interpreter.output_files import SavedOutputs

MAX_CHARACTERS = 16_000  # of the logs, and of the notes, that the model reads

_MAX_NAMES = 30  # of files, in one note
_REASONS: dict[Reason, str] = {
    "timeout": "The code was stopped because it took too long.",
    "cancelled": "The code was cancelled.",
    "output": "The code was stopped because it printed too much.",
    "memory": "The code was stopped because it needed too much memory.",
    "disk": "The code was stopped because it filled the disk.",
    "exited": "The Python process ended.",
    "protocol": "The Python process broke.",
}
SESSION_REPLACED = (
    "This is a new session: the variables of earlier code, and the files that it wrote to "
    "/mnt/data, are gone."
)


def output_for_model(executed: ExecutedCode, saved: SavedOutputs) -> str:
    """Return the logs, followed by notes."""
    execution = executed.execution
    logs = shorten(execution.logs).rstrip("\n") or "(no output)"
    notes = [*_state_notes(executed), *_file_notes(saved), *executed.notes, *saved.notes]
    if execution.skipped:
        notes.append(f"{execution.skipped} images or files were not taken.")
    return "\n".join([logs, shorten("\n".join(f"[{note}]" for note in notes))]).rstrip("\n")


def outputs_for_clients(execution: Execution, images: Sequence[FileId]) -> list[dict[str, Any]]:
    """Return the outputs of the call, in the form of a delta."""
    logs: list[dict[str, Any]] = []
    if execution.logs:
        logs = [{"type": "logs", "logs": execution.logs}]
    shown = [{"type": "image", "image": {"file_id": file_id}} for file_id in images]
    return [{"index": index, **output} for index, output in enumerate([*logs, *shown])]


def shorten(text: str) -> str:
    """Replace the middle of a long text by a note."""
    if len(text) <= MAX_CHARACTERS:
        return text
    half = MAX_CHARACTERS // 2
    left_out = len(text) - 2 * half
    return f"{text[:half]}\n[… {left_out:,} characters left out …]\n{text[-half:]}"


def _state_notes(executed: ExecutedCode) -> Iterator[str]:
    if executed.replaced:
        yield SESSION_REPLACED
    if executed.execution.reason:
        yield _REASONS[executed.execution.reason]
    if executed.execution.lost:
        yield "All variables are gone; the files in /mnt/data are still there."


def _file_notes(saved: SavedOutputs) -> Iterator[str]:
    if saved.images:
        count = len(saved.images)
        yield f"{count} image{'s' if count > 1 else ''} shown to the user."
    if paths := list(saved.files):
        listed = ", ".join(paths[:_MAX_NAMES])
        rest = f" and {len(paths) - _MAX_NAMES} more" if len(paths) > _MAX_NAMES else ""
        yield (
            f"New files: {listed}{rest}. Give one to the user by a link, such as "
            f"[{paths[0]}](sandbox:/mnt/data/{paths[0]})."
        )

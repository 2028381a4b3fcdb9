"""Read the text of one file, with no rights of its own: what takes this over gains nothing."""

from typing import Any

from assistants.documents.transfer import work


def handler(event: dict[str, Any], _: Any) -> None:
    """`{file, answer, filename}` in: where to GET the file, where to PUT its text or why not."""
    work(event)

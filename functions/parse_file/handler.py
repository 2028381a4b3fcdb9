"""Extract the text of one file, without any rights that a hostile file could abuse."""

from typing import Any

from assistants.documents.transfer import work


def handler(event: dict[str, Any], _: Any) -> None:
    """Take `{file, answer, filename}`, with URLs to GET the file from and to PUT the result to."""
    work(event)

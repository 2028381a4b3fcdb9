"""Extract the text of one file, without any rights that a hostile file could abuse."""

from typing import Any

from assistants.documents.environment import answer_and_end
from assistants.documents.system_calls import hide
from assistants.documents.transfer import work
from assistants.telemetry import logger

if not hide():
    logger.info("the platform does not let this process hide from others")


def handler(event: dict[str, Any], context: Any) -> None:
    """Take `{file, answer, filename}`, with URLs to GET the file from and to PUT the result to.

    If no filter of system calls held the reader, this environment reads no other file.
    """
    if not work(event):
        logger.info("no filter held the reader, so its environment ends")
        answer_and_end(context.aws_request_id)

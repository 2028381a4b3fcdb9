"""Read the text of one file, with no rights of its own: what takes this over gains nothing."""

from typing import Any

from assistants.documents.environment import answer_and_end
from assistants.documents.system_calls import hide
from assistants.documents.transfer import work
from assistants.telemetry import logger

if not hide():
    logger.info("the platform does not let this process hide from others")


def handler(event: dict[str, Any], context: Any) -> None:
    """`{file, answer, filename}` in: where to GET the file, where to PUT its text or why not.

    After a file whose reader no filter held, nothing of this environment reads another one.
    """
    if not work(event):
        logger.info("no filter held the reader, so its environment ends")
        answer_and_end(context.aws_request_id)

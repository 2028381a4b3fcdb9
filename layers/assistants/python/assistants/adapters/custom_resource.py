"""The answer of a custom resource: CloudFormation waits for it at a URL that it signed.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html
"""

import json
from collections.abc import Mapping
from typing import Any

import urllib3

_LONGEST = 1000  # characters of a reason: the whole answer may have 4,096 bytes


def answer(event: Mapping[str, Any], reason: str | None) -> None:
    """Report to CloudFormation that the resource of `event` failed for `reason`, if there is one.

    Raises urllib3's HTTPError if nobody takes the answer, and OSError if it is refused.
    """
    body = {
        "Status": "FAILED" if reason else "SUCCESS",
        "Reason": (reason or "")[:_LONGEST],
        "PhysicalResourceId": event.get("PhysicalResourceId", event["LogicalResourceId"]),
        **{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
    }
    # The URL is signed for an empty content type.
    taken = urllib3.request(
        "PUT", event["ResponseURL"], body=json.dumps(body), headers={"content-type": ""}
    )
    if taken.status != 200:
        raise OSError(f"CloudFormation's URL answers {taken.status}: {taken.data!r}")

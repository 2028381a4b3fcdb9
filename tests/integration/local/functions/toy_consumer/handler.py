"""A function that is fed by a queue, a schedule and a rule: it prints what it got."""

import json
from typing import Any


def handler(event: dict[str, Any], context: Any) -> Any:
    if "Records" not in event:
        print(json.dumps(event))
        return None
    failed = []
    for record in event["Records"]:
        print(f"got {record['body']} for the {record['attributes']['ApproximateReceiveCount']}.")
        if record["body"] == "bad":
            failed.append({"itemIdentifier": record["messageId"]})
        if record["body"] == "worst":
            raise ValueError("the whole batch fails")
    return {"batchItemFailures": failed}

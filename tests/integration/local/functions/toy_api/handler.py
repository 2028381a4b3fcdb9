"""A function of the REST API: it answers with its event, or as the path asks."""

import base64
import json
import time
from typing import Any


def handler(event: dict[str, Any], context: Any) -> Any:
    match event["path"].split("/")[-1]:
        case "crash":
            raise ValueError("no")
        case "sleep":
            time.sleep(60)
        case "nonsense":
            return "not a response"
        case "large":
            return {"statusCode": 200, "body": "x" * 6_500_000}
        case "binary":
            body = base64.b64encode(bytes(range(256))).decode()
            headers = {"content-type": "multipart/form-data; boundary=x"}
            return {"statusCode": 200, "headers": headers, "body": body, "isBase64Encoded": True}
        case "cookies":
            many = {"Set-Cookie": ["a=1", "b=2"]}
            return {"statusCode": 204, "headers": {"X-One": "1"}, "multiValueHeaders": many}
    return {"statusCode": 200, "body": json.dumps(event, ensure_ascii=False)}

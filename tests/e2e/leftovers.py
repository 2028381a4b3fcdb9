"""Everything that a tenant has in S3 and in the table, to prove that nothing is left."""

import hashlib
from typing import NamedTuple

from infra.local import LocalStack


class Leftovers(NamedTuple):
    """Names of objects, of uploads to S3 that were never completed, and partitions of rows."""

    objects: list[str]
    unfinished: list[str]
    rows: list[str]

    @property
    def kinds(self) -> list[str]:
        """The rows by what they are: `file` or `upl` of `P#project#upl`."""
        return [row.split("#", 2)[2] for row in self.rows]


def leftovers(stack: LocalStack, api_key: str) -> Leftovers:
    project = f"open-{hashlib.sha256(api_key.encode()).hexdigest()[:32]}"
    bucket = stack.resource("AssistantsData", "Bucket")
    s3, table = stack.client("s3"), stack.resource("AssistantsData", "Table")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    names = [found["Key"] for page in pages for found in page.get("Contents", ())]
    unfinished = s3.list_multipart_uploads(Bucket=bucket).get("Uploads", ())
    scan = stack.client("dynamodb").get_paginator("scan").paginate(TableName=table)
    partitions = [item["pk"]["S"] for page in scan for item in page["Items"]]
    return Leftovers(
        [name for name in names if f"/{project}/" in name],
        [one["Key"] for one in unfinished if f"/{project}/" in one["Key"]],
        sorted(one for one in partitions if one.startswith(f"P#{project}#")),
    )

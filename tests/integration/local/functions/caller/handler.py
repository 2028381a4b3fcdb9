"""A function that calls AWS."""

from typing import Any

import boto3


def handler(event: Any, context: Any) -> None:
    boto3.client("ssm").get_parameter(Name="/p")
    boto3.client("s3").get_object(Bucket="records", Key="a/b_c")
    boto3.client("s3").list_objects_v2(Bucket="records")
    boto3.client("sts").get_caller_identity()

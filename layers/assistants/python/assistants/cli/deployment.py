"""The resources of the deployment that the command works on."""

from dataclasses import dataclass
from functools import cached_property

from botocore.exceptions import ClientError

from assistants.adapters.aws import client
from assistants.adapters.dynamodb.items import item_model
from assistants.adapters.dynamodb.large_values import LargeValues
from assistants.adapters.dynamodb.table import DynamoTable
from assistants.adapters.sqs import SqsIndexQueue

NAME = "Assistants"


class NotDeployedError(Exception):
    """Raised when a resource was not given and no deployed stack names it."""


@dataclass(frozen=True)
class Deployment:
    """Resources by name; None stands for the one that the deployed stack names.

    `name` is the one that the deployment was given by `-c name=`.
    """

    table_name: str | None
    bucket_name: str | None
    index_queue_url: str | None
    name: str = NAME

    @cached_property
    def table(self) -> DynamoTable:
        return self._table(self.bucket)

    @cached_property
    def key_table(self) -> DynamoTable:
        """Return the table for rows of API keys, which never have values in the bucket."""
        return self._table("")

    def _table(self, bucket: str) -> DynamoTable:
        name = self.table_name or _output(f"{self.name}Data", "TableName")
        return DynamoTable(item_model(name), LargeValues(bucket, lambda: client("s3")))

    @cached_property
    def bucket(self) -> str:
        return self.bucket_name or _output(f"{self.name}Data", "BucketName")

    @cached_property
    def index_queue(self) -> SqsIndexQueue:
        url = self.index_queue_url or _output(f"{self.name}Service", "IndexQueueUrl")
        return SqsIndexQueue(url, lambda: client("sqs"))


def _output(stack: str, name: str) -> str:
    try:
        (found,) = client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    except ClientError as error:
        raise NotDeployedError(f"Stack {stack}: {error}") from error
    outputs = {each["OutputKey"]: str(each["OutputValue"]) for each in found.get("Outputs", [])}
    if name not in outputs:
        raise NotDeployedError(f"Stack {stack} has no output {name}; is file search switched off?")
    return outputs[name]

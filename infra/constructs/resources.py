"""What the functions work on: how they are told of it, and what grants speak of."""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs


@dataclass(frozen=True)
class Resources:
    """`run_machine` is an ARN, as the machine itself is made after its functions."""

    table: dynamodb.ITable
    bucket: s3.IBucket
    run_machine: str
    purge_queue: sqs.IQueue

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            "ASSISTANTS_TABLE": self.table.table_name,
            "ASSISTANTS_BUCKET": self.bucket.bucket_name,
            "ASSISTANTS_STATE_MACHINE": self.run_machine,
            "ASSISTANTS_PURGE_QUEUE": self.purge_queue.queue_url,
        }

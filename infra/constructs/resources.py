"""What the functions work on: how they are told of it, and what grants speak of."""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

from infra.constructs.code_interpreter import CodeInterpreter
from infra.constructs.file_search import FileSearch


@dataclass(frozen=True)
class Resources:
    """`run_machine` is an ARN, as the machine itself is made after its functions.

    Without `code_interpreter` or `file_search` the deployment has none.
    """

    table: dynamodb.ITable
    bucket: s3.IBucket
    run_machine: str
    purge_queue: sqs.IQueue
    code_interpreter: CodeInterpreter | None = None
    file_search: FileSearch | None = None

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            "ASSISTANTS_TABLE": self.table.table_name,
            "ASSISTANTS_BUCKET": self.bucket.bucket_name,
            "ASSISTANTS_STATE_MACHINE": self.run_machine,
            "ASSISTANTS_PURGE_QUEUE": self.purge_queue.queue_url,
            **(self.code_interpreter.environment if self.code_interpreter else {}),
            **(self.file_search.environment if self.file_search else {}),
        }

"""What the functions work on: how they are told of it, and what grants speak of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

from infra.constructs.sandbox_network import SandboxNetwork


@dataclass(frozen=True)
class Resources:
    """`run_machine` is an ARN, as the machine itself is made after its functions.

    `tool_environment` are the variables of the code interpreter and of file search, and
    `sandbox_network` is the network of the sandboxes, as far as the deployment has them.
    """

    table: dynamodb.ITable
    bucket: s3.IBucket
    run_machine: str
    purge_queue: sqs.IQueue
    tool_environment: Mapping[str, str] = field(default_factory=dict)
    sandbox_network: SandboxNetwork | None = None

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            "ASSISTANTS_TABLE": self.table.table_name,
            "ASSISTANTS_BUCKET": self.bucket.bucket_name,
            "ASSISTANTS_STATE_MACHINE": self.run_machine,
            "ASSISTANTS_PURGE_QUEUE": self.purge_queue.queue_url,
            **self.tool_environment,
        }

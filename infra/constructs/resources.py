"""The resources that functions work on, as grants and environment variables refer to them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs

from infra.constructs.placement import Placement


@dataclass(frozen=True)
class Resources:
    """The resources of one deployment.

    `run_machine` is an ARN, as the machine is created after its functions. `tool_environment` holds
    the variables of the hosted tools, and `placements` the places of the functions that run in a
    network, by their ids.
    """

    table: dynamodb.ITable
    bucket: s3.IBucket
    run_machine: str
    purge_queue: sqs.IQueue
    tool_environment: Mapping[str, str] = field(default_factory=dict)
    placements: Mapping[str, Placement] = field(default_factory=dict)

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            "ASSISTANTS_TABLE": self.table.table_name,
            "ASSISTANTS_BUCKET": self.bucket.bucket_name,
            "ASSISTANTS_STATE_MACHINE": self.run_machine,
            "ASSISTANTS_PURGE_QUEUE": self.purge_queue.queue_url,
            **self.tool_environment,
        }

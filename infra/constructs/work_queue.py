"""A queue of work for one function, with a dead-letter queue."""

from typing import cast

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs.labels import named
from infra.options import Options

ATTEMPTS = 5
BATCH = 5


class WorkQueue(sqs.Queue):
    """A queue whose messages move to the dead-letter queue after `attempts` failures.

    `longest_work` is the function's timeout in seconds. A message stays invisible for `patience`
    times that: six, as AWS advises, so that a throttled function does not receive it twice.
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        options: Options,
        *,
        longest_work: int,
        patience: int = 6,
        attempts: int = ATTEMPTS,
    ) -> None:
        aside = sqs.Queue(
            scope,
            f"{id}Failed",
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        super().__init__(
            scope,
            id,
            enforce_ssl=True,
            visibility_timeout=Duration.seconds(patience * longest_work),
            dead_letter_queue=sqs.DeadLetterQueue(queue=named(aside), max_receive_count=attempts),
        )
        named(self)
        for queue in (self, aside):
            # A key that the CDK knows of would be opened to the reader beyond the service's use.
            kept = cast(sqs.CfnQueue, queue.node.default_child)
            kept.kms_master_key_id = options.encryption_key

    def feed(
        self, function: lambda_.Function, *, batch: int = BATCH, workers: int | None = None
    ) -> None:
        """Invoke `function` with batches of messages, at most `workers` times at once.

        The function reports which messages of a batch failed.
        """
        source = event_sources.SqsEventSource(
            self, batch_size=batch, max_concurrency=workers, report_batch_item_failures=True
        )
        function.add_event_source(source)

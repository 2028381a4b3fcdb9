"""A queue of work for one function, and the place where work goes that cannot be done."""

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as event_sources
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs.labels import named

ATTEMPTS = 5
BATCH = 5


class WorkQueue(sqs.Queue):
    """Messages wait until their function has time; one that fails five times is put aside.

    `longest_work` is the function's timeout in seconds. A message stays hidden for `patience` times
    that: six, as AWS advises, so that a throttled function does not see it twice.
    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        longest_work: int,
        patience: int = 6,
        attempts: int = ATTEMPTS,
    ) -> None:
        aside = sqs.Queue(
            scope, f"{id}Failed", enforce_ssl=True, retention_period=Duration.days(14)
        )
        super().__init__(
            scope,
            id,
            enforce_ssl=True,
            visibility_timeout=Duration.seconds(patience * longest_work),
            dead_letter_queue=sqs.DeadLetterQueue(queue=named(aside), max_receive_count=attempts),
        )
        named(self)

    def feed(
        self, function: lambda_.Function, *, batch: int = BATCH, workers: int | None = None
    ) -> None:
        """Give `function` the messages, a few at a time, and at most `workers` times at once; it
        reports which of them failed.
        """
        source = event_sources.SqsEventSource(
            self, batch_size=batch, max_concurrency=workers, report_batch_item_failures=True
        )
        function.add_event_source(source)

"""The work queues: a failed message is repeated, then put aside, and never lost unnoticed."""

import pytest

from tests.infra.template import Template


def test_a_message_that_fails_is_repeated_alone(service: Template) -> None:
    sources = service.of_type("Lambda::EventSourceMapping").values()
    fed = {source["EventSourceArn"]["Fn::GetAtt"][0]: source["FunctionName"] for source in sources}
    assert fed == {"PurgeQueue": {"Ref": "Purge"}, "IndexQueue": {"Ref": "IndexFile"}}
    for source in sources:
        assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_a_file_has_its_worker_for_itself_and_few_are_at_work(service: Template) -> None:
    """Each holds two functions, of which a new account may run ten in all."""
    sources = service.of_type("Lambda::EventSourceMapping").values()
    (source,) = (one for one in sources if one["FunctionName"] == {"Ref": "IndexFile"})
    assert source["BatchSize"] == 1
    assert source["ScalingConfig"] == {"MaximumConcurrency": 2}


def test_few_purges_are_at_work(service: Template) -> None:
    sources = service.of_type("Lambda::EventSourceMapping").values()
    (source,) = (one for one in sources if one["FunctionName"] == {"Ref": "Purge"})
    assert source["ScalingConfig"] == {"MaximumConcurrency": 2}


@pytest.mark.parametrize(("queue", "attempts"), [("PurgeQueue", 5), ("IndexQueue", 6)])
def test_a_message_that_fails_again_and_again_is_kept_two_weeks(
    service: Template, queue: str, attempts: int
) -> None:
    queues = service.of_type("SQS::Queue")
    assert queues[queue]["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": [f"{queue}Failed", "Arn"]},
        "maxReceiveCount": attempts,
    }
    assert queues[f"{queue}Failed"]["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_a_message_stays_hidden_six_times_as_long_as_its_work_may_take(service: Template) -> None:
    timeout = service.of_type("Lambda::Function")["Purge"]["Timeout"]
    queue = service.of_type("SQS::Queue")["PurgeQueue"]
    assert queue["VisibilityTimeout"] == 6 * timeout


def test_the_queues_refuse_plain_http(service: Template) -> None:
    policies = service.of_type("SQS::QueuePolicy").values()
    guarded = {
        queue["Ref"]
        for policy in policies
        for queue in policy["Queues"]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    }
    assert guarded == set(service.of_type("SQS::Queue"))


def test_a_file_is_not_given_to_a_second_worker_while_the_first_may_live(service: Template) -> None:
    timeout = service.of_type("Lambda::Function")["IndexFile"]["Timeout"]
    assert service.of_type("SQS::Queue")["IndexQueue"]["VisibilityTimeout"] == timeout


def test_only_the_purge_may_ask_its_own_queue_more_often_than_lambda_allows(
    service: Template,
) -> None:
    """Lambda stops others at 16 in a chain; `IndexFile` sends one for a file that fails."""
    functions = service.of_type("Lambda::Function")
    loops = {
        id: found["RecursiveLoop"] for id, found in functions.items() if "RecursiveLoop" in found
    }
    assert loops == {"Purge": "Allow"}

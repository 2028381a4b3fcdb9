"""The purge queue: work that fails is repeated, then put aside, and never lost unseen."""

from tests.infra.template import Template


def test_a_message_that_fails_is_repeated_alone(service: Template) -> None:
    source = service.only("Lambda::EventSourceMapping")
    assert source["EventSourceArn"] == {"Fn::GetAtt": ["PurgeQueue", "Arn"]}
    assert source["FunctionName"] == {"Ref": "Purge"}
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]


def test_a_message_that_fails_five_times_is_kept_two_weeks(service: Template) -> None:
    queues = service.of_type("SQS::Queue")
    redrive = queues["PurgeQueue"]["RedrivePolicy"]
    assert redrive == {
        "deadLetterTargetArn": {"Fn::GetAtt": ["PurgeQueueFailed", "Arn"]},
        "maxReceiveCount": 5,
    }
    assert queues["PurgeQueueFailed"]["MessageRetentionPeriod"] == 14 * 24 * 3600


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

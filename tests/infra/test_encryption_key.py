"""With a key of one's own, everything that is kept is encrypted by it."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from infra.constructs.encryption_key import ACTIONS
from infra.options import Options
from infra.stacks.data import DataStack
from infra.stacks.service import ServiceStack
from tests.infra.template import Template, app_with

KEY = "arn:aws:kms:eu-west-1:123456789012:key/0123abcd-0000-4000-8000-0123456789ab"
KEEPS_NOTHING = ("CheckSettings", "ParseFile")


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    outdir = tmp_path_factory.mktemp("encrypted")
    app = app_with(str(outdir), encryption_key=KEY, file_server=True)
    options = Options.of(app)
    data = DataStack(app, "Data", options)
    ServiceStack(app, "Service", options, data=data)
    app.synth()
    return outdir


@pytest.fixture(scope="module")
def data_stack(encrypted: Path) -> Template:
    return Template.read(encrypted / "Data.template.json")


@pytest.fixture(scope="module")
def service_stack(encrypted: Path) -> Template:
    return Template.read(encrypted / "Service.template.json")


def test_table_and_bucket_are_encrypted_by_it(data_stack: Template) -> None:
    table = data_stack.only("DynamoDB::Table")
    assert table["SSESpecification"] == {
        "KMSMasterKeyId": KEY,
        "SSEEnabled": True,
        "SSEType": "KMS",
    }
    (rule,) = data_stack.only("S3::Bucket")["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule == {
        "BucketKeyEnabled": True,
        "ServerSideEncryptionByDefault": {"KMSMasterKeyID": KEY, "SSEAlgorithm": "aws:kms"},
    }


def test_every_queue_and_log_group_is_encrypted_by_it(service_stack: Template) -> None:
    queues, groups = service_stack.of_type("SQS::Queue"), service_stack.of_type("Logs::LogGroup")
    assert len(queues) == 4
    assert len(groups) > len(service_stack.of_type("Lambda::Function"))
    assert {queue["KmsMasterKeyId"] for queue in queues.values()} == {KEY}
    assert {group["KmsKeyId"] for group in groups.values()} == {KEY}


def test_roles_use_it_only_through_the_services_that_keep_data(service_stack: Template) -> None:
    users = set()
    for role, statement in service_stack.statements():
        if KEY in str(statement["Resource"]):
            assert statement["Resource"] == KEY
            assert statement["Action"] == list(ACTIONS)
            services = statement["Condition"]["StringEquals"]["kms:ViaService"]
            names = [service["Fn::Join"][1][0] for service in services]
            assert names == ["dynamodb.", "s3.", "sqs."]
            users.add(role)
    functions = service_stack.of_type("Lambda::Function")
    roles = {
        function["Role"]["Fn::GetAtt"][0]
        for name, function in functions.items()
        if name not in KEEPS_NOTHING
    }
    assert roles <= users
    (server,) = users - roles
    assert server.startswith("FileServer")


def test_keys_of_aws_are_the_default(service: Template, data: Template) -> None:
    assert "kms:" not in service.text
    assert "SSESpecification" not in data.only("DynamoDB::Table")


@pytest.mark.parametrize("key", ["alias/mine", "arn:aws:kms:eu-west-1:1:key/x", f"{KEY} "])
def test_another_name_of_a_key_is_refused(key: str) -> None:
    with pytest.raises(ValidationError, match="encryption_key"):
        Options.of(app_with(encryption_key=key))

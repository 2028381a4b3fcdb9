"""The data that must survive: the table and the bucket."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from aws_cdk.assertions import Template as Assertions
from pydantic import ValidationError

from infra.options import Options
from infra.stacks.data import DataStack
from tests.infra.template import Template, app_with


def deployed_with(**context: Any) -> Assertions:
    app = app_with(**context)
    return Assertions.from_stack(DataStack(app, "Data", Options.of(app)))


def test_the_table_has_the_keys_of_the_key_design(data: Template) -> None:
    table = data.only("DynamoDB::Table")
    assert table["KeySchema"] == [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ]
    (due,) = table["GlobalSecondaryIndexes"]
    assert due == {
        "IndexName": "due",
        "KeySchema": [
            {"AttributeName": "due_pk", "KeyType": "HASH"},
            {"AttributeName": "due_at", "KeyType": "RANGE"},
        ],
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    }
    types = {key["AttributeName"]: key["AttributeType"] for key in table["AttributeDefinitions"]}
    assert types == {"pk": "S", "sk": "S", "due_pk": "S", "due_at": "N"}


def test_the_table_bills_by_request_forgets_by_ttl_and_can_be_restored(data: Template) -> None:
    table = data.only("DynamoDB::Table")
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    recovery = {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 7}
    assert table["PointInTimeRecoverySpecification"] == recovery


def test_the_bucket_is_closed_encrypted_and_keeps_no_abandoned_uploads(data: Template) -> None:
    bucket = data.only("S3::Bucket")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    whole, *passing = bucket["LifecycleConfiguration"]["Rules"]
    assert whole["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert "Prefix" not in whole
    expiring = {rule["Prefix"]: rule["ExpirationInDays"] for rule in passing}
    assert expiring == {"uploads/": 1, "parsed/": 1}
    assert "ExpirationInDays" not in whole


def test_the_bucket_refuses_plain_http(data: Template) -> None:
    (statement,) = data.only("S3::BucketPolicy")["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_pages_of_the_listed_origins_upload_and_what_they_are_sent_to_is_read(
    data: Template,
) -> None:
    condition, rules, otherwise = data.only("S3::Bucket")["CorsConfiguration"]["Fn::If"]
    put, get = rules["CorsRules"]
    assert (put["AllowedMethods"], put["AllowedOrigins"]) == (["PUT"], {"Ref": "CorsOrigins"})
    # After a redirect of the API's a browser says `Origin: null`.
    assert (get["AllowedMethods"], get["AllowedOrigins"]) == (["GET"], ["*"])
    for rule in (put, get):
        assert rule["ExposedHeaders"] == ["ETag"]
    assert otherwise == {"Ref": "AWS::NoValue"}
    none = {"Fn::Equals": [{"Fn::Join": [",", {"Ref": "CorsOrigins"}]}, ""]}
    assert data.body["Conditions"][condition] == {"Fn::Not": [none]}


def test_no_page_reaches_the_bucket_unless_origins_are_listed(data: Template) -> None:
    parameter = data.body["Parameters"]["CorsOrigins"]
    assert (parameter["Type"], parameter["Default"]) == ("CommaDelimitedList", "")


def test_both_stacks_take_the_origins_by_one_name(data: Template, service: Template) -> None:
    assert "CorsOrigins" in data.body["Parameters"].keys() & service.body["Parameters"].keys()


@pytest.mark.parametrize(
    ("origin", "taken"),
    [
        ("", True),
        ("*", True),
        ("https://app.example", True),
        ("http://localhost:5173", True),
        ("https://app.example/", False),
        ("app.example", False),
        ("https://a.example https://b.example", False),
    ],
)
def test_an_origin_is_a_scheme_and_a_host(data: Template, origin: str, taken: bool) -> None:
    pattern = data.body["Parameters"]["CorsOrigins"]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, origin)) is taken


def test_data_outlives_its_stack_unless_asked_otherwise(data: Template) -> None:
    assert data.resources["Table"]["DeletionPolicy"] == "Retain"
    assert data.resources["Bucket"]["DeletionPolicy"] == "Retain"
    given_up = deployed_with(retain_data=False)
    for kind in ("DynamoDB::Table", "S3::Bucket"):
        given_up.has_resource(f"AWS::{kind}", {"DeletionPolicy": "Delete"})


def test_the_table_and_the_stacks_refuse_deletion(data: Template, assembly: Path) -> None:
    assert data.only("DynamoDB::Table")["DeletionProtectionEnabled"] is True
    artifacts = json.loads((assembly / "manifest.json").read_text())["artifacts"]
    for stack in ("AssistantsData", "AssistantsService"):
        assert artifacts[stack]["properties"]["terminationProtection"] is True


def test_protection_from_deletion_can_be_switched_off() -> None:
    app = app_with(deletion_protection="false")  # `cdk -c` passes text
    stack = DataStack(app, "Data", Options.of(app))
    assert not stack.termination_protection
    properties = {"DeletionProtectionEnabled": False}
    Assertions.from_stack(stack).has_resource_properties("AWS::DynamoDB::Table", properties)


def test_deleted_data_can_be_restored_for_a_week_and_is_gone_then(data: Template) -> None:
    bucket = data.only("S3::Bucket")
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    whole, *passing = bucket["LifecycleConfiguration"]["Rules"]
    assert whole["NoncurrentVersionExpiration"] == {"NoncurrentDays": 7}
    assert whole["ExpiredObjectDeleteMarker"] is True
    assert {rule["NoncurrentVersionExpiration"]["NoncurrentDays"] for rule in passing} == {1}


def test_nothing_that_is_deleted_is_kept_if_so_asked() -> None:
    forgetful = deployed_with(recovery_days="0")
    (table,) = forgetful.find_resources("AWS::DynamoDB::Table").values()
    assert table["Properties"]["PointInTimeRecoverySpecification"] == {
        "PointInTimeRecoveryEnabled": False
    }
    (bucket,) = forgetful.find_resources("AWS::S3::Bucket").values()
    assert "VersioningConfiguration" not in bucket["Properties"]
    whole, *_ = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    assert whole["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}


def test_an_option_of_the_wrong_kind_is_refused_by_name() -> None:
    with pytest.raises(ValidationError, match="log_retention"):
        deployed_with(log_retention="30 days")

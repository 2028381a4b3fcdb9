"""A template in the conventions of the real one, written by hand, and its cloud assembly."""

import json
from pathlib import Path
from typing import Any

from infra.local.assembly import Assembly
from tests.integration.local.toy_rest_api import rest_api

FUNCTIONS = "tests/integration/local/functions"
ASL = {
    "StartAt": "Wait",
    "States": {
        "Wait": {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
            "Parameters": {
                "FunctionName": "${Machine}",
                "Payload": {
                    "id.$": "$.id",
                    "token.$": "$$.Task.Token",
                    "fail.$": "$.fail",
                },
            },
            "TimeoutSeconds": 60,
            "End": True,
        }
    },
}


def assembly(folder: Path, **changed: Any) -> Assembly:
    """Write the assembly of two stacks to `folder`; `changed` replaces resources of the second."""
    service = {"Parameters": PARAMETERS, "Resources": {**_service(), **changed}, "Outputs": OUTPUTS}
    _write(folder, "Data.template.json", DATA)
    _write(folder, "Service.template.json", service)
    destinations = {"here": {"bucketName": "b", "objectKey": "code.zip"}}
    _write(folder, "Service.assets.json", {"files": {"code": {"destinations": destinations}}})
    _write(folder, "manifest.json", {"artifacts": ARTIFACTS})
    return Assembly(folder)


def _write(folder: Path, name: str, content: Any) -> None:
    (folder / name).write_text(json.dumps(content))


def _stack(name: str, *dependencies: str) -> dict[str, Any]:
    return {
        "type": "aws:cloudformation:stack",
        "dependencies": list(dependencies),
        "properties": {"templateFile": f"{name}.template.json"},
    }


ARTIFACTS = {
    "Service": _stack("Service", "Data", "Service.assets"),
    "Service.assets": {
        "type": "cdk:asset-manifest",
        "properties": {"file": "Service.assets.json"},
    },
    "Data": _stack("Data"),
}
PARAMETERS = {
    "Greeting": {"Type": "String", "Default": "hello", "AllowedPattern": "[a-z ]*"},
    "Mode": {"Type": "String", "Default": "a", "AllowedValues": ["a", "b"]},
    "Seconds": {"Type": "Number", "Default": 120, "MinValue": 1, "MaxValue": 840},
    "ModelKey": {"Type": "String", "Default": ""},
}
OUTPUTS = {"Machine": {"Value": {"Ref": "StateMachine"}}}
DATA = {
    "Resources": {
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "KeySchema": [
                    {"AttributeName": "pk", "KeyType": "HASH"},
                    {"AttributeName": "sk", "KeyType": "RANGE"},
                ],
                "AttributeDefinitions": [
                    {"AttributeName": "pk", "AttributeType": "S"},
                    {"AttributeName": "sk", "AttributeType": "S"},
                ],
                "BillingMode": "PAY_PER_REQUEST",
            },
        },
        "Bucket": {"Type": "AWS::S3::Bucket"},
        "BucketPolicy": {"Type": "AWS::S3::BucketPolicy", "Properties": {}},
    },
    "Outputs": {
        "TableName": {"Value": {"Ref": "Table"}, "Export": {"Name": "Data:Table"}},
        "BucketName": {"Value": {"Ref": "Bucket"}, "Export": {"Name": "Data:Bucket"}},
    },
}


def function(folder: str, *, timeout: int = 20, **properties: Any) -> dict[str, Any]:
    """A function whose source is in `functions/<folder>`."""
    variables = {
        "GREETING": {"Ref": "Greeting"},
        "SECONDS": {"Ref": "Seconds"},
        "MODEL_KEY": {"Ref": "ModelKey"},
        "TABLE": {"Fn::ImportValue": "Data:Table"},
        "BUCKET": {"Fn::ImportValue": "Data:Bucket"},
    }
    if folder.endswith("_stream"):
        variables["AWS_LAMBDA_EXEC_WRAPPER"] = "/opt/stream"  # type: ignore[assignment]
        properties["Layers"] = [{"Ref": "Streaming"}]
    return {
        "Type": "AWS::Lambda::Function",
        "Metadata": {"source": f"{FUNCTIONS}/{folder}"},
        "Properties": {
            "Code": {"S3Bucket": {"Fn::Sub": BOOTSTRAP_BUCKET}, "S3Key": "code.zip"},
            "Handler": "handler.handler",
            "Runtime": "python3.13",
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            "Timeout": timeout,
            "MemorySize": 256,
            "Environment": {"Variables": variables},
            **properties,
        },
    }


BOOTSTRAP_BUCKET = "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"


def _service() -> dict[str, Any]:
    return {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}},
        },
        "Streaming": {
            "Type": "AWS::Lambda::LayerVersion",
            "Metadata": {"source": "layers/streaming"},
            "Properties": {
                "Content": {"S3Bucket": {"Fn::Sub": BOOTSTRAP_BUCKET}, "S3Key": "code.zip"}
            },
        },
        "Api": function("toy_api"),
        "Stream": function("toy_stream"),
        "Consumer": function("toy_consumer"),
        "Machine": function("toy_machine", ReservedConcurrentExecutions=3),
        "StateMachine": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {
                "DefinitionString": json.dumps(ASL),
                "DefinitionSubstitutions": {"Machine": {"Fn::GetAtt": ["Machine", "Arn"]}},
                "RoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
            },
        },
        **_event_sources(),
        **rest_api(),
    }


def _event_sources() -> dict[str, Any]:
    target = {"Arn": {"Fn::GetAtt": ["Consumer", "Arn"]}, "Id": "Consumer"}
    return {
        "Dead": {"Type": "AWS::SQS::Queue"},
        "Queue": {
            "Type": "AWS::SQS::Queue",
            "Properties": {
                "VisibilityTimeout": 1,
                "RedrivePolicy": {
                    "deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]},
                    "maxReceiveCount": 2,
                },
            },
        },
        "Mapping": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "FunctionName": {"Ref": "Consumer"},
                "EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]},
                "BatchSize": 5,
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
            },
        },
        "EachMinute": {
            "Type": "AWS::Events::Rule",
            "Properties": {"ScheduleExpression": "rate(1 minute)", "Targets": [target]},
        },
        "Broken": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "EventPattern": {
                    "source": ["aws.states"],
                    "detail-type": ["Step Functions Execution Status Change"],
                    "detail": {
                        "stateMachineArn": [{"Ref": "StateMachine"}],
                        "status": ["FAILED", "TIMED_OUT", "ABORTED"],
                    },
                },
                "Targets": [target],
            },
        },
    }

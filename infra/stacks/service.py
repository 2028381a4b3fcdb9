"""What can be redeployed at any time: functions, layers, run machine and REST API."""

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.constructs.function import Function, FunctionSpec, Platform
from infra.constructs.grants import Resources, resume_runs, start_runs, use_table, use_values
from infra.constructs.layers import Layers
from infra.constructs.model_key import ModelKeyPolicy
from infra.constructs.rest_api import RestApi
from infra.constructs.run_machine import RunMachine, run_machine_arn
from infra.constructs.settings import MODEL_KEY, declare_settings
from infra.options import Options

STORE = (use_table, use_values)

FUNCTIONS = (
    FunctionSpec("api", timeout=29, memory=1024, grants=(*STORE, start_runs, resume_runs)),
    FunctionSpec("stream", timeout=900, streams=True, grants=(*STORE, start_runs, resume_runs)),
    FunctionSpec("call_model", timeout=900, grants=STORE, reads_model_key=True),
    FunctionSpec("await_tool_outputs", timeout=30, grants=(*STORE, resume_runs)),
    FunctionSpec("finish_run", timeout=30, grants=STORE),
)


class ServiceStack(Stack):
    """The service on `table` and `bucket`; its parameters are the settings."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        options: Options,
        *,
        table: dynamodb.Table,
        bucket: s3.Bucket,
    ) -> None:
        super().__init__(scope, id, description="Serverless Assistants: the service")
        settings = declare_settings(self)
        resources = Resources(table.table_arn, bucket.bucket_arn, run_machine_arn(self))
        environment = {
            **settings,
            "ASSISTANTS_TABLE": table.table_name,
            "ASSISTANTS_BUCKET": bucket.bucket_name,
            "ASSISTANTS_STATE_MACHINE": resources.run_machine,
        }
        platform = Platform(Layers(self, "Layers", options), environment, resources, options)
        functions = {spec.id: Function(self, spec, platform) for spec in FUNCTIONS}
        readers = [functions[spec.id].execution_role for spec in FUNCTIONS if spec.reads_model_key]
        ModelKeyPolicy(self, "ModelKeyPolicy", reference=settings[MODEL_KEY], readers=readers)
        machine = RunMachine(self, "RunMachine", options, functions=functions)
        machine.on_broken_execution(functions["FinishRun"])
        api, stream = functions["Api"], functions["Stream"]
        gateway = RestApi(self, "RestApi", options, api=api, stream=stream)
        CfnOutput(self, "BaseUrl", value=gateway.base_url)
        CfnOutput(self, "StateMachineArn", value=machine.state_machine_arn)

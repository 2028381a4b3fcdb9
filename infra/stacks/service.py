"""What can be redeployed at any time: functions, layers, run machine and REST API."""

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from constructs import Construct

from assistants.http.routes import ROUTES
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
        machine = run_machine_arn(self)
        environment = declare_settings(self)
        platform = Platform(
            layers=Layers(self, "Layers", options),
            environment={
                **environment,
                "ASSISTANTS_TABLE": table.table_name,
                "ASSISTANTS_BUCKET": bucket.bucket_name,
                "ASSISTANTS_STATE_MACHINE": machine,
            },
            resources=Resources(table.table_arn, bucket.bucket_arn, machine),
            options=options,
        )
        functions = {spec.id: Function(self, spec, platform) for spec in FUNCTIONS}
        callers = [functions[spec.id] for spec in FUNCTIONS if spec.reads_model_key]
        ModelKeyPolicy(
            self,
            "ModelKeyPolicy",
            reference=environment[MODEL_KEY],
            readers=[caller.execution_role for caller in callers],
        )
        RunMachine(
            self,
            "Run",
            options,
            functions=functions,
            on_broken_execution=functions["FinishRun"],
        )
        api = RestApi(
            self,
            "Gateway",
            options,
            routes=ROUTES,
            api=functions["Api"],
            stream=functions["Stream"],
        )
        CfnOutput(self, "BaseUrl", value=api.url)
        CfnOutput(self, "StateMachineArn", value=machine)

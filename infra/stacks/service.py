"""The stack of the service, redeployable at any time: functions, layers, run machine, REST API."""

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from infra.constructs import grants
from infra.constructs.checked_settings import CHECKER, CheckedSettings
from infra.constructs.file_search_index import INDEX_SECONDS
from infra.constructs.file_server import FileServer
from infra.constructs.function import Function, FunctionSpec, Platform
from infra.constructs.layers import Layers
from infra.constructs.model_access import ModelsFilePolicy, allow_model_keys, allow_models
from infra.constructs.model_key import KeyPolicy
from infra.constructs.optional_tools import OptionalTools
from infra.constructs.resources import Resources
from infra.constructs.rest_api import RestApi
from infra.constructs.run_machine import RunMachine, run_machine_arn
from infra.constructs.settings import MODEL_KEY, MODELS_FILE, declare_settings
from infra.constructs.settings_rules import add_settings_rules
from infra.constructs.work_queue import WorkQueue
from infra.options import Options
from infra.stacks.data import DataStack

PURGE_SECONDS = 60
PURGE_WORKERS = 2  # the fewest that SQS allows: nobody waits for a purge

TABLE = (grants.use_table, grants.use_values)
RUNS = (grants.start_runs, grants.resume_runs)
PURGE = (grants.clear_table, grants.list_values, grants.delete_values, grants.request_purges)
CHANGE_FILES = (grants.write_files, grants.delete_files)
FREE_PARTS = (grants.list_parts, grants.delete_parts)
TAKE_FILES = (*CHANGE_FILES, grants.write_parts, *FREE_PARTS)
COMPLETE_UPLOADS = (*CHANGE_FILES, grants.read_parts, *FREE_PARTS)
EXPIRE_FILES = (grants.delete_files, *FREE_PARTS)
NETWORK = (grants.join_network, grants.keep_network)
READ_FILES = (grants.read_files, grants.list_files)
READ_TEXTS = (grants.read_texts, grants.list_texts)
KEEP_TEXTS = (*READ_TEXTS, grants.write_texts, grants.delete_texts)
PARSE = (*READ_FILES, grants.exchange_parsed, grants.list_parsed)

FUNCTIONS = (
    FunctionSpec(
        "api",
        timeout=29,
        memory=1024,
        grants=(*TABLE, *RUNS, *TAKE_FILES, grants.request_purges),
        routes_models=True,
    ),
    FunctionSpec(
        "stream",
        timeout=900,
        grants=(*TABLE, *RUNS, *READ_FILES, *READ_TEXTS, *COMPLETE_UPLOADS),
        streams=True,
        routes_models=True,
        retrieval=True,
    ),
    FunctionSpec(
        "call_model",
        timeout=900,
        grants=(*TABLE, *READ_FILES),
        reads_model_key=True,
        routes_models=True,
        retrieval=True,
    ),
    FunctionSpec("run_code", timeout=900, grants=(*TABLE, grants.delete_files)),
    FunctionSpec(
        "sandbox_proxy",
        timeout=300,
        grants=(*READ_FILES, grants.write_files, *NETWORK),
    ),
    FunctionSpec("search_files", timeout=120, grants=TABLE, retrieval=True),
    FunctionSpec(
        "index_file",
        timeout=INDEX_SECONDS,
        memory=2048,
        grants=(*TABLE, *PARSE, *KEEP_TEXTS),
        retrieval=True,
    ),
    FunctionSpec(
        "parse_file", timeout=180, memory=3008, grants=NETWORK, retrieval=True, storage=1024
    ),
    FunctionSpec("await_tool_outputs", timeout=30, grants=(*TABLE, grants.resume_runs)),
    FunctionSpec("finish_run", timeout=30, grants=TABLE),
    FunctionSpec(
        "expire",
        timeout=60,
        grants=(*TABLE, *RUNS, *EXPIRE_FILES, grants.find_due, grants.request_purges),
        schedule="rate(1 minute)",
    ),
    # It asks its own queue for what it has no time for: a thread can have any number of rows.
    FunctionSpec("purge", timeout=PURGE_SECONDS, grants=(*TABLE, *PURGE), recursive=True),
    FunctionSpec("check_settings", timeout=90, grants=(), reads_model_key=True, routes_models=True),
)


class ServiceStack(Stack):
    """The service on the data of the stack `data`; its parameters are the settings."""

    def __init__(self, scope: Construct, id: str, options: Options, *, data: DataStack) -> None:
        super().__init__(
            scope,
            id,
            description="Serverless Assistants: the service",
            termination_protection=options.deletion_protection,
        )
        settings = declare_settings(self)
        add_settings_rules(self, settings)
        queue = WorkQueue(self, "PurgeQueue", options, longest_work=PURGE_SECONDS)
        tools = OptionalTools.create(self, options)
        resources = self._resources(data, queue, tools)
        platform = Platform(Layers(self, "Layers", options), settings, resources, options)
        functions = self._functions(platform, tools, data)
        queue.feed(functions["Purge"], workers=PURGE_WORKERS)
        machine = RunMachine(self, "RunMachine", options, functions=functions)
        machine.on_broken_execution(functions["FinishRun"])
        api, stream = functions["Api"], functions["Stream"]
        gateway = RestApi(self, "RestApi", options, api=api, stream=stream)
        if options.file_server:
            FileServer(
                self,
                "FileServer",
                options,
                gateway=gateway,
                settings=settings,
                resources=resources,
            )
        CfnOutput(self, "BaseUrl", value=gateway.base_url)
        CfnOutput(self, "StateMachineArn", value=machine.state_machine_arn)

    def _resources(self, data: DataStack, queue: WorkQueue, tools: OptionalTools) -> Resources:
        machine = run_machine_arn(self)
        return Resources(
            data.table, data.bucket, machine, queue, tools.environment, tools.placements
        )

    def _functions(
        self, platform: Platform, tools: OptionalTools, data: DataStack
    ) -> dict[str, Function]:
        """Create the functions of this deployment, with their rights beyond grants."""
        specs = self._specs(platform.options, tools)
        functions = {spec.id: Function(self, spec, platform) for spec in specs}
        tools.serve(functions, platform.settings, data.bucket)
        settings = platform.settings
        readers = [functions[spec.id].execution_role for spec in specs if spec.reads_model_key]
        routers = [functions[spec.id].execution_role for spec in specs if spec.routes_models]
        KeyPolicy(self, "ModelKey", reference=settings[MODEL_KEY], readers=readers)
        ModelsFilePolicy(self, "ModelsFileAccess", url=settings[MODELS_FILE], readers=routers)
        allow_models(self, [functions["CallModel"].execution_role])
        allow_model_keys(self, readers)
        if CHECKER in functions:
            CheckedSettings(self, "CheckedSettings", settings=settings, functions=functions)
        return functions

    def _specs(self, options: Options, tools: OptionalTools) -> list[FunctionSpec]:
        unused = {*tools.unused_functions, *(() if options.check_settings else (CHECKER,))}
        return [spec for spec in FUNCTIONS if spec.id not in unused]

"""The composition root: the only module that sees adapters."""

import os
from functools import cache

from botocore.config import Config

from assistants.adapters.aws import client
from assistants.adapters.bedrock import Bedrock
from assistants.adapters.demo_model import DemoModel
from assistants.adapters.dynamodb import DynamoStore
from assistants.adapters.dynamodb_item import item_model
from assistants.adapters.guarded_fetch import GuardedFetch
from assistants.adapters.large_values import LargeValues
from assistants.adapters.model_router import ModelRouter
from assistants.adapters.openai_compatible import OpenAICompatible
from assistants.adapters.s3_blobs import S3Blobs
from assistants.adapters.secrets import resolve
from assistants.adapters.sqs import SqsPurgeQueue
from assistants.adapters.step_functions import StepFunctions
from assistants.adapters.system_clock import SystemClock
from assistants.domain.model import Catalog
from assistants.domain.model_route import Endpoint
from assistants.services.backend import Backend
from assistants.settings import Settings
from assistants.telemetry import logger


@cache
def settings() -> Settings:
    return Settings.read(os.environ)


@cache
def backend() -> Backend:
    """The service of this process, over AWS. Clients connect when they are first used."""
    chosen = settings()
    logger.setLevel(chosen.log_level)
    catalog = Catalog.read(chosen.models, endpoint_configured=chosen.model_url is not None)
    values = LargeValues(chosen.bucket, lambda: client("s3"))
    return Backend(
        store=DynamoStore(item_model(chosen.table), values),
        blobs=S3Blobs(chosen.bucket, lambda: client("s3")),
        executions=StepFunctions(chosen.state_machine, lambda: client("stepfunctions")),
        purge_queue=SqsPurgeQueue(chosen.purge_queue, lambda: client("sqs")),
        model=models(chosen, catalog),
        catalog=catalog,
        clock=SystemClock(),
        auth=chosen.auth,
        run_ttl_seconds=chosen.run_ttl_seconds,
    )


def models(chosen: Settings, catalog: Catalog) -> ModelRouter:
    """The models of all providers. Each is connected to when it is first asked."""

    def openai_compatible(endpoint: Endpoint) -> OpenAICompatible:
        url, key = endpoint.url, endpoint.key
        if url is None:  # another URL is never told the deployment's key
            url, key = chosen.model_url, chosen.model_key
        return OpenAICompatible(url or "", resolve(key), chosen.model_timeout_seconds)

    def bedrock(_: Endpoint) -> Bedrock:
        # The adapter itself asks again, as it knows what of an answer has been shown.
        timeout = chosen.model_timeout_seconds
        config = Config(read_timeout=timeout, retries={"total_max_attempts": 1})
        return Bedrock(client("bedrock-runtime", config), GuardedFetch())

    return ModelRouter(
        catalog,
        {
            "demo": lambda _: DemoModel(),
            "bedrock": bedrock,
            "openai-compatible": openai_compatible,
        },
    )

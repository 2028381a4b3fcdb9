"""The composition root: the only module that sees adapters."""

import os
from functools import cache

from assistants.adapters.aws import client
from assistants.adapters.demo_model import DemoModel
from assistants.adapters.dynamodb import DynamoStore
from assistants.adapters.dynamodb_item import item_model
from assistants.adapters.large_values import LargeValues
from assistants.adapters.model_router import ModelRouter
from assistants.adapters.openai_compatible import OpenAICompatible
from assistants.adapters.secrets import resolve
from assistants.adapters.sqs import SqsPurgeQueue
from assistants.adapters.step_functions import StepFunctions
from assistants.adapters.system_clock import SystemClock
from assistants.domain.model import Catalog, ModelRoute
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
    catalog = Catalog(
        {name: ModelRoute.model_validate(route) for name, route in chosen.models.items()},
        endpoint_configured=chosen.model_url is not None,
    )
    values = LargeValues(chosen.bucket, lambda: client("s3"))
    return Backend(
        store=DynamoStore(item_model(chosen.table), values),
        executions=StepFunctions(chosen.state_machine, lambda: client("stepfunctions")),
        purge_queue=SqsPurgeQueue(chosen.purge_queue, lambda: client("sqs")),
        model=ModelRouter(
            catalog,
            {
                "demo": DemoModel,
                "openai-compatible": lambda: OpenAICompatible(
                    chosen.model_url or "",
                    resolve(chosen.model_key),
                    chosen.model_timeout_seconds,
                ),
            },
        ),
        catalog=catalog,
        clock=SystemClock(),
        auth=chosen.auth,
        run_ttl_seconds=chosen.run_ttl_seconds,
    )

"""The composition root: the only module, with the CLI, that imports adapters."""

import os
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.config import Config

from assistants.adapters.aws import client
from assistants.adapters.dynamodb.items import item_model
from assistants.adapters.dynamodb.large_values import LargeValues
from assistants.adapters.dynamodb.table import DynamoTable
from assistants.adapters.guarded_fetch import GuardedFetch
from assistants.adapters.models.bedrock import Bedrock
from assistants.adapters.models.demo import DemoModel
from assistants.adapters.models.openai_compatible import OpenAICompatible
from assistants.adapters.models.router import ModelRouter
from assistants.adapters.models_file import read_models
from assistants.adapters.s3_blobs import S3Blobs
from assistants.adapters.secrets import check_key, resolve
from assistants.adapters.sqs import SqsIndexQueue, SqsPurgeQueue
from assistants.adapters.step_functions import StepFunctions
from assistants.adapters.system_clock import SystemClock
from assistants.domain.model import Catalog
from assistants.domain.model_route import ModelEndpoint
from assistants.services.backend import Backend
from assistants.services.ports import Ports
from assistants.settings import InvalidSettingsError, Settings
from assistants.telemetry import logger

if TYPE_CHECKING:
    from assistants.ports.sandbox import Sandboxes, SandboxSession
    from assistants.ports.search import Embedder, SearchIndex
    from assistants.services.vector_stores.indexing import Indexing


@cache
def settings() -> Settings:
    return Settings.read(os.environ)


@cache
def backend() -> Backend:
    """Return the service of this process, on AWS. Clients connect on first use."""
    chosen = settings()
    logger.setLevel(chosen.log_level)
    entries = read_models(chosen.models_file) if chosen.models_file else chosen.models
    catalog = Catalog.read(entries, endpoint_configured=chosen.model_url is not None)
    values = LargeValues(chosen.bucket, lambda: client("s3"))
    return Backend(
        Ports(
            table=DynamoTable(item_model(chosen.table), values),
            blobs=S3Blobs(chosen.bucket, lambda: client("s3")),
            executions=StepFunctions(chosen.state_machine, lambda: client("stepfunctions")),
            purge_queue=SqsPurgeQueue(chosen.purge_queue, lambda: client("sqs")),
            sandboxes=sandboxes() if chosen.sandbox_cluster else None,
            sandbox_spares=chosen.sandbox_spares,
            index_queue=index_queue() if chosen.search_endpoint else None,
            index=index,
            embedder=embedder,
            model=models(chosen, catalog),
            catalog=catalog,
            clock=SystemClock(),
            auth=chosen.auth,
            run_ttl_seconds=chosen.run_ttl_seconds,
        )
    )


@cache
def sandboxes() -> "Sandboxes":
    """Return the launcher of code interpreter sessions: ECS tasks, called through SandboxProxy."""
    from assistants.adapters.sandbox.fargate import FargateSandboxes, FargateSettings

    chosen = settings()
    launch = FargateSettings(
        cluster=chosen.sandbox_cluster,
        task=chosen.sandbox_task,
        subnets=chosen.sandbox_subnets,
        security_group=chosen.sandbox_security_group,
        public_ip=chosen.sandbox_public_ip,
    )

    def connect(address: str, token: str) -> "SandboxSession":
        from assistants.adapters.sandbox.proxied_session import CONFIG, ProxiedSession, SandboxProxy

        proxy = SandboxProxy(chosen.sandbox_proxy, lambda: client("lambda", CONFIG))
        return ProxiedSession(proxy, address, token)

    return FargateSandboxes(launch, lambda: client("ecs"), connect)


@cache
def sandbox_proxy() -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Return the handler of SandboxProxy, which has access to sessions and blobs alone."""
    from assistants.adapters.sandbox.calls import answer
    from assistants.adapters.sandbox.client import SandboxClient
    from assistants.adapters.sandbox.direct_session import DirectSession

    blobs = S3Blobs(settings().bucket, lambda: client("s3"))

    def connect(address: str, token: str) -> DirectSession:
        return DirectSession(SandboxClient(address, token), blobs)

    return partial(answer, connect)


@cache
def index_queue() -> SqsIndexQueue:
    return SqsIndexQueue(settings().index_queue, lambda: client("sqs"))


@cache
def index() -> "SearchIndex":
    """Return the search index. Imports here, because few functions search."""
    chosen = settings()
    model, dimensions = chosen.embedding_model, chosen.embedding_dimensions
    scheme, _, place = chosen.search_endpoint.partition(":")
    if scheme == "sqlite":
        from assistants.adapters.search.sqlite import SqliteIndex

        return SqliteIndex(Path(place), model=model, dimensions=dimensions)
    from assistants.adapters.search import opensearch_client
    from assistants.adapters.search.opensearch import OpenSearchIndex

    dialect = opensearch_client.dialect_of(chosen.search_endpoint)
    connect = opensearch_client.connect if dialect == "node" else opensearch_client.connect_signed
    return OpenSearchIndex(
        connect(chosen.search_endpoint), model=model, dimensions=dimensions, dialect=dialect
    )


@cache
def embedder() -> "Embedder":
    """Return the embedding model of the settings."""
    chosen = settings()
    if chosen.embedding_url is not None:
        from assistants.adapters.embeddings.openai import OpenAIEmbedder

        return OpenAIEmbedder(
            chosen.embedding_url,
            model=chosen.embedding_model,
            dimensions=chosen.embedding_dimensions,
            key=resolve(chosen.embedding_key),
            shorten=chosen.embedding_model.startswith("text-embedding-3"),
        )
    if chosen.embedding_model == "minilm":
        from assistants.adapters.embeddings.minilm import MiniLM

        return MiniLM()
    from assistants.adapters.embeddings.bedrock import bedrock_embedder

    model = chosen.embedding_model.removeprefix("bedrock:")
    return bedrock_embedder(client("bedrock-runtime"), model, chosen.embedding_dimensions)


@cache
def indexing() -> "Indexing":
    """Return the indexing service, which only IndexFile needs."""
    from assistants.adapters.lambda_parser import CONFIG, LambdaParser
    from assistants.documents.chunking import chunks
    from assistants.services.vector_stores.indexing import Indexing

    service = backend()
    parser = LambdaParser(
        settings().parse_function, service.ports.blobs, lambda: client("lambda", CONFIG)
    )
    return Indexing(
        repository=service.vector_stores.file_repository,
        attribute_updates=service.vector_stores.attribute_updates,
        texts=service.vector_stores.texts,
        parser=parser,
        chunker=chunks,
        index=index,
        embedder=embedder,
        clock=service.ports.clock,
    )


def check_settings(event: dict[str, Any]) -> None:
    """Answer an event of the custom resource that stands for checked settings."""
    from assistants.adapters.custom_resource import answer
    from assistants.adapters.new_rights import wait_for_rights
    from assistants.services.maintenance.settings_check import Access, SettingsCheck

    reason = None
    if event["RequestType"] != "Delete":
        given = event["ResourceProperties"]
        access = Access(given["Models"], given["ModelKeys"], given.get("EmbeddingModels"))
        check = SettingsCheck(
            lambda url: wait_for_rights(lambda: read_models(url)),
            lambda setting, key: wait_for_rights(lambda: check_key(setting, key)),
        )
        try:
            check.check(given["Settings"], access)
        except InvalidSettingsError as error:
            reason = str(error)
        except Exception as error:  # else CloudFormation would wait for its time limit
            logger.exception("the settings cannot be checked")
            reason = f"The settings cannot be checked (-c check_settings=false skips it): {error!r}"
    answer(event, reason)


def models(chosen: Settings, catalog: Catalog) -> ModelRouter:
    """Return the models of all providers. Clients connect on first use."""

    def openai_compatible(endpoint: ModelEndpoint) -> OpenAICompatible:
        url, key = endpoint.url, endpoint.key
        if url is None:  # the deployment's key goes to no other URL
            url, key = chosen.model_url, chosen.model_key
        return OpenAICompatible(url or "", resolve(key), chosen.model_timeout_seconds)

    def bedrock(_: ModelEndpoint) -> Bedrock:
        # The adapter retries itself, because it knows whether an answer has begun.
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

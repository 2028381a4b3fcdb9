"""File search: an index in OpenSearch, and the queue of files to be indexed.

By default the index is an OpenSearch Serverless collection, which scales to zero, and then bills
only its storage, after ten minutes without a request. The next request takes 10 to 30 seconds.
https://docs.aws.amazon.com/opensearch-service/latest/developerguide/serverless-scale-to-zero.html
"""

from collections.abc import Mapping, Sequence

from aws_cdk import CfnOutput, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.constructs.checked_settings import CHECKER
from infra.constructs.function import Function
from infra.constructs.labels import function_name
from infra.constructs.model_access import allow_embeddings
from infra.constructs.model_key import KeyPolicy
from infra.constructs.parser_network import ParserNetwork
from infra.constructs.search_collection import SearchCollection
from infra.constructs.search_domain import SearchDomain
from infra.constructs.settings import EMBEDDING_KEY
from infra.constructs.work_queue import WorkQueue
from infra.options import Options

INDEXER, PARSER = "IndexFile", "ParseFile"
WRITERS = (INDEXER, "Stream")  # Stream updates attributes of indexed files
READERS = ("CallModel", "SearchFiles")  # CallModel warms up the index for SearchFiles
EMBEDDERS = (INDEXER, "SearchFiles", "Stream")
REQUESTERS = (INDEXER, "Api", "Stream", "Expire", "Purge")
INDEX_SECONDS = 900
ATTEMPTS = 6  # five to index a file, one to record that it has failed


class FileSearchIndex(Construct):
    """The index and its queue; `serve` connects the functions."""

    def __init__(self, scope: Construct, id: str, options: Options) -> None:
        super().__init__(scope, id)
        self._workers = options.index_workers
        # Indexing a file twice is harmless, and a file whose worker died should not wait long.
        self.queue = WorkQueue(
            scope, "IndexQueue", options, longest_work=INDEX_SECONDS, patience=1, attempts=ATTEMPTS
        )
        CfnOutput(scope, "IndexQueueUrl", value=self.queue.queue_url)
        kind = SearchCollection if options.file_search == "serverless" else SearchDomain
        self._index = kind(self, "Index")
        self.network = ParserNetwork(self, "ParserNetwork", options)
        self._parser = function_name(scope, PARSER)

    @property
    def environment(self) -> Mapping[str, str]:
        """Return the variables by which functions find index and queue."""
        return {
            "ASSISTANTS_SEARCH_ENDPOINT": self._index.endpoint,
            "ASSISTANTS_INDEX_QUEUE": self.queue.queue_url,
            "ASSISTANTS_PARSE_FUNCTION": self._parser,
        }

    def serve(
        self, functions: Mapping[str, Function], settings: Mapping[str, str], files: s3.IBucket
    ) -> None:
        """Let functions write and search the index, embed texts and queue files for indexing.

        The indexer signs the URLs by which the parser reaches the bucket of `files`.
        """

        def roles(names: Sequence[str]) -> list[iam.Role]:
            return [functions[name].execution_role for name in names]

        self._index.admit(writers=roles(WRITERS), readers=roles(READERS))
        embedders = roles(EMBEDDERS)
        readers = roles([*EMBEDDERS, *({CHECKER} & functions.keys())])
        KeyPolicy(self, "EmbeddingKey", reference=settings[EMBEDDING_KEY], readers=readers)
        allow_embeddings(Stack.of(self), embedders)
        for role in roles(REQUESTERS):
            role.add_to_policy(_allow("sqs:SendMessage", self.queue.queue_arn))
        indexer, parser = functions[INDEXER], functions[PARSER]
        indexer.execution_role.add_to_policy(_allow("lambda:InvokeFunction", parser.function_arn))
        self.network.admit_urls(files, indexer.execution_role)
        self.queue.feed(indexer, batch=1, workers=self._workers)


def _allow(action: str, resource: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=[action], resources=[resource])

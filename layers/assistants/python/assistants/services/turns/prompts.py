"""The request to the model: instructions, messages of the thread, earlier turns of the run."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from assistants.domain.errors import InvalidRequestError
from assistants.domain.model import Catalog
from assistants.domain.model_route import ModelRoute
from assistants.domain.token_budget import TokenBudget
from assistants.domain.tool import HostedToolName, NamedToolChoice, offered, specs_of
from assistants.ports.chat_model import ModelError, ModelRequest
from assistants.ports.hosted_tool import HostedTool
from assistants.ports.images import Images
from assistants.ports.table import Table
from assistants.services.runs.repository import LoadedRun
from assistants.services.storage import keys
from assistants.services.turns.chat_messages import chat_message, with_images

_PAGE = 100  # messages fetched by one query
_ANSWER_TOKENS = 4096  # of the context, kept free for the answer


class BudgetExhaustedError(Exception):
    """Raised when the run's own limit, `reason`, leaves too little for another turn."""

    def __init__(self, reason: Literal["max_prompt_tokens", "max_completion_tokens"]) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Prompts:
    table: Table
    catalog: Catalog
    tools: Mapping[HostedToolName, HostedTool]
    images: Images
    count_tokens: Callable[[str], int]

    def request(self, run: LoadedRun, earlier: Sequence[dict[str, Any]]) -> ModelRequest:
        """Build the request of the run's next turn, after its `earlier` ones.

        Raises `BudgetExhaustedError`, and `ModelError` for content that the model cannot take.
        """
        settings = run.settings
        route = self._route(settings.model)
        tools = offered(settings.tools)
        before = self._before(run)
        budget = self._budget(run, route)
        schemas = [{"content": json.dumps(tools)}] if tools else []
        fits = [budget.take(message) for message in (*schemas, *before, *earlier)]
        conversation = self._conversation(run, budget)
        if settings.max_prompt_tokens is not None and not (all(fits) and conversation):
            raise BudgetExhaustedError("max_prompt_tokens")
        return ModelRequest(
            model=settings.model,
            messages=[
                *before,
                *with_images(conversation, run.project, route, self.images),
                *earlier,
            ],
            tools=tools,
            options=_options(run, route),
            cache=route.cache,
        )

    def _before(self, run: LoadedRun) -> list[dict[str, Any]]:
        """Return the system message: the instructions of the run, then of its hosted tools."""
        own = [
            tool.instructions(run.project, run.settings)
            for spec in specs_of(run.settings.tools)
            if (tool := self.tools.get(spec.name))
        ]
        content = "\n\n".join(part for part in (run.settings.instructions, *own) if part)
        return [{"role": "system", "content": content}] if content else []

    def _route(self, model: str) -> ModelRoute:
        try:
            return self.catalog.route(model)
        except InvalidRequestError as error:  # the catalog has changed since the run was created
            raise ModelError("server_error", error.message) from error

    def _budget(self, run: LoadedRun, route: ModelRoute) -> TokenBudget:
        """Return the model's context less room for an answer, or what the run's limit leaves."""
        context = route.context
        tokens = context - min(_ANSWER_TOKENS, context // 4)
        if run.settings.max_prompt_tokens is not None:
            left = run.settings.max_prompt_tokens - run.state.spent.prompt_tokens
            tokens = min(tokens, left)
        return TokenBudget(tokens, self.count_tokens)

    def _conversation(self, run: LoadedRun, budget: TokenBudget) -> list[dict[str, Any]]:
        """Return as many of the thread's newest messages as fit, oldest first, without this run's.

        The newest is included in any case, unless the run's own budget forbids it: the error of a
        model that cannot read so much is clearer than ours.
        """
        strategy = run.settings.truncation_strategy
        wanted = strategy.last_messages if strategy.type == "last_messages" else None
        newest_first: list[dict[str, Any]] = []
        for message in self._newest_first(run):
            if message["run_id"] == run.settings.id:
                continue
            if wanted is not None and len(newest_first) == wanted:
                break
            chat = chat_message(message)
            fits = budget.take(chat)
            if fits or (not newest_first and run.settings.max_prompt_tokens is None):
                newest_first.append(chat)
            if not fits:
                break
        return newest_first[::-1]

    def _newest_first(self, run: LoadedRun) -> Iterator[dict[str, Any]]:
        partition = keys.in_thread(run.project, run.settings.thread_id)
        before: str | None = None
        while True:
            rows = self.table.query(
                partition, keys.MESSAGES, before=before, limit=_PAGE, descending=True
            )
            yield from (row.body for row in rows)
            if len(rows) < _PAGE:
                return
            before = rows[-1].key.sort


def _named(choice: NamedToolChoice) -> dict[str, Any]:
    if choice.type == "function":
        return choice.model_dump()
    return {"type": "function", "function": {"name": choice.type}}


def _options(run: LoadedRun, route: ModelRoute) -> dict[str, Any]:
    """Return the members of a chat completion that the run sets."""
    settings = run.settings
    completion_tokens = settings.max_completion_tokens
    if completion_tokens is not None:
        completion_tokens -= run.state.spent.completion_tokens
        if completion_tokens <= 0:
            raise BudgetExhaustedError("max_completion_tokens")
    sampling = {"temperature": settings.temperature, "top_p": settings.top_p}
    options: dict[str, Any] = {
        **{name: value for name, value in sampling.items() if name in route.capabilities},
        "reasoning_effort": settings.reasoning_effort,
        "max_completion_tokens": completion_tokens,
    }
    if settings.response_format != "auto":
        options["response_format"] = settings.model_dump(by_alias=True)["response_format"]
    if settings.tools:
        choice = settings.tool_choice
        if run.state.turn and choice != "none":
            choice = "auto"  # a tool must be called before the answer: it was, in an earlier turn
        options["parallel_tool_calls"] = settings.parallel_tool_calls
        options["tool_choice"] = _named(choice) if isinstance(choice, NamedToolChoice) else choice
    return {name: value for name, value in options.items() if value is not None}

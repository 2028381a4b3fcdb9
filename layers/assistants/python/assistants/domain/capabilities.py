"""Checks of the parameters of assistants and runs against the capabilities of their model."""

from assistants.domain.assistant import Assistant
from assistants.domain.errors import InvalidRequestError, unsupported_parameter, unsupported_value
from assistants.domain.model_route import Capability, ModelRoute
from assistants.domain.run import RunSettings
from assistants.domain.tool import FunctionTool, NamedToolChoice, Tool

MODEL_PARAMETERS = frozenset(
    {"model", "tools", "response_format", "reasoning_effort", "temperature", "top_p"}
)
_NEUTRAL = 1  # the API's default of `temperature` and `top_p`, which every model honours


def check_capabilities(asked: Assistant | RunSettings, route: ModelRoute) -> None:
    """Check every parameter that not all models honour.

    Raises `InvalidRequestError` for the first one that the model of `route` does not.
    """
    _check_tools(asked.tools, route)
    if isinstance(asked, RunSettings):
        _check_tool_choice(asked, route)
    _check_format(asked, route)
    _check_effort(asked, route)
    _check_sampling(asked, route)


def _check_tools(tools: list[Tool], route: ModelRoute) -> None:
    if tools and "tools" not in route.capabilities:
        raise unsupported_parameter("tools")
    for position, tool in enumerate(tools):
        strict = isinstance(tool, FunctionTool) and tool.function.strict
        if strict and "json_schema" not in route.capabilities:
            raise unsupported_value(f"tools[{position}].function.strict", "true", ["false"])


def _check_tool_choice(asked: RunSettings, route: ModelRoute) -> None:
    choice = asked.tool_choice
    if choice not in ("none", "auto") and "tool_choice" not in route.capabilities:
        shown = choice.type if isinstance(choice, NamedToolChoice) else choice
        raise unsupported_value("tool_choice", shown, ["none", "auto"])


def _check_format(asked: Assistant | RunSettings, route: ModelRoute) -> None:
    format = asked.response_format
    if format == "auto" or format.type == "text" or format.type in route.capabilities:
        return
    raise InvalidRequestError(
        f"Invalid parameter: 'response_format' of type '{format.type}' is not supported with this "
        "model.",
        param="response_format",
    )


def _check_effort(asked: Assistant | RunSettings, route: ModelRoute) -> None:
    effort = asked.reasoning_effort
    if effort is None:
        return
    if "reasoning" not in route.capabilities:
        raise unsupported_parameter("reasoning_effort")
    if effort not in route.efforts:
        raise unsupported_value("reasoning_effort", effort, route.efforts)


def _check_sampling(asked: Assistant | RunSettings, route: ModelRoute) -> None:
    names: tuple[Capability, ...] = ("temperature", "top_p")
    for name in names:
        if getattr(asked, name) not in (None, _NEUTRAL) and name not in route.capabilities:
            raise unsupported_parameter(name)
    highest = route.max_temperature
    if highest is not None and asked.temperature is not None and asked.temperature > highest:
        raise InvalidRequestError(
            f"Unsupported value: 'temperature' does not support {asked.temperature:g} with this "
            f"model. Expected a value <= {highest:g}.",
            param="temperature",
            code="unsupported_value",
        )

"""A REST API of API Gateway as its template declares it: the function of each path."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from infra.local.assembly import StackTemplate, logical_id

DEFAULT_TIMEOUT_MS = 29_000


@dataclass(frozen=True)
class Integration:
    """The function that answers a method."""

    function: str
    streams: bool
    timeout_seconds: float


@dataclass
class Node:
    """One resource: a part of a path, its methods and the resources below it."""

    part: str
    resource_id: str
    path: str
    methods: dict[str, Integration] = field(default_factory=dict)
    children: list["Node"] = field(default_factory=list)

    @property
    def parameter(self) -> str | None:
        """Return the name in `{name}` or `{name+}`, None for a static part."""
        return self.part.strip("{}").rstrip("+") if self.part.startswith("{") else None

    @property
    def rank(self) -> int:
        """Return the order among siblings: static parts, then parameters, then greedy ones."""
        return 2 if self.part.endswith("+}") else 1 if self.parameter else 0

    def takes(self, segments: list[str]) -> int:
        """Return how many of the segments, at least one, this part matches; 0 if it does not."""
        if self.rank == 2:
            return len(segments)
        return 1 if segments[0] == self.part or (self.parameter and segments[0]) else 0


@dataclass(frozen=True)
class Match:
    """The resource and integration of a request; parameters are still percent-encoded."""

    node: Node
    integration: Integration
    parameters: Mapping[str, str]


@dataclass(frozen=True)
class GatewayResponse:
    """The response that API Gateway itself gives to one type of error."""

    status: int | None
    headers: Mapping[str, str]
    template: str | None


@dataclass(frozen=True)
class RestApiDefinition:
    """The declared API."""

    root: Node
    stage: str
    binary_media_types: frozenset[str]
    gateway_responses: Mapping[str, GatewayResponse]

    @classmethod
    def of(cls, stack: StackTemplate) -> Self | None:
        """Return the first REST API of the stack, or None."""
        for api_id, api in stack.resources("AWS::ApiGateway::RestApi"):
            nodes = _nodes(stack, api_id)
            _add_methods(stack, nodes)
            stages = stack.resources("AWS::ApiGateway::Stage")
            return cls(
                root=nodes[api_id],
                stage=next(stage["Properties"]["StageName"] for _, stage in stages),
                binary_media_types=frozenset(api["Properties"].get("BinaryMediaTypes", [])),
                gateway_responses=dict(_gateway_responses(stack)),
            )
        return None

    def match(self, method: str, path: str) -> Match | None:
        """Match a request for `path`, which begins with "/" and excludes the stage."""
        segments = path.split("/")[1:]
        found = _find(self.root, segments if segments != [""] else [], method)
        if found is None:
            return None
        node, values = found
        integration = node.methods.get(method) or node.methods["ANY"]
        return Match(node, integration, values)


def _find(node: Node, segments: list[str], method: str) -> tuple[Node, dict[str, str]] | None:
    if not segments:
        return (node, {}) if node.methods.keys() & {method, "ANY"} else None
    for child in sorted(node.children, key=lambda child: child.rank):
        taken = child.takes(segments)
        found = _find(child, segments[taken:], method) if taken else None
        if found and child.parameter:
            return found[0], {child.parameter: "/".join(segments[:taken]), **found[1]}
        if found:
            return found
    return None


def _nodes(stack: StackTemplate, api_id: str) -> dict[str, Node]:
    """Return every node by its logical id, and the root by the API's."""
    resources = {
        name: resource["Properties"]
        for name, resource in stack.resources("AWS::ApiGateway::Resource")
    }
    nodes = {api_id: Node("", api_id, "/")}

    def node(name: str) -> Node:
        if name not in nodes:
            parent = node(logical_id(resources[name]["ParentId"]) or "")
            part = resources[name]["PathPart"]
            nodes[name] = Node(part, name, f"{parent.path.rstrip('/')}/{part}")
            parent.children.append(nodes[name])
        return nodes[name]

    for name in resources:
        node(name)
    return nodes


def _add_methods(stack: StackTemplate, nodes: Mapping[str, Node]) -> None:
    for _, method in stack.resources("AWS::ApiGateway::Method"):
        properties = method["Properties"]
        integration = properties["Integration"]
        node = nodes[logical_id(properties["ResourceId"]) or ""]
        node.methods[properties["HttpMethod"]] = Integration(
            function=_function(integration),
            streams=integration.get("ResponseTransferMode") == "STREAM",
            timeout_seconds=integration.get("TimeoutInMillis", DEFAULT_TIMEOUT_MS) / 1000,
        )


def _function(integration: Mapping[str, Any]) -> str:
    """Return the function in the integration's URI, which joins its ARN with other text."""
    for part in integration["Uri"]["Fn::Join"][1]:
        match part:
            case {"Fn::GetAtt": [str(name), "Arn"]}:
                return name
    raise ValueError(f"No function in the integration's URI: {integration['Uri']}")


def _gateway_responses(stack: StackTemplate) -> Iterator[tuple[str, GatewayResponse]]:
    prefix = "gatewayresponse.header."
    for _, resource in stack.resources("AWS::ApiGateway::GatewayResponse"):
        properties = resource["Properties"]
        status = properties.get("StatusCode")
        headers = {
            name.removeprefix(prefix): value.strip("'")
            for name, value in properties.get("ResponseParameters", {}).items()
        }
        template = properties.get("ResponseTemplates", {}).get("application/json")
        yield (
            properties["ResponseType"],
            GatewayResponse(int(status) if status else None, headers, template),
        )

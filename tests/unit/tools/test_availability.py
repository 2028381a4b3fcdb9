"""Files that assistants, threads and messages refer to must exist and suit their tool."""

from collections.abc import Mapping
from typing import Any

import pytest

from assistants.domain.tool import HostedToolName
from assistants.ports.hosted_tool import HostedTool
from tests.support.api_client import Answer
from tests.support.deployment import Deployment
from tests.support.fake_tools import UnusedTool

TOOLS: Mapping[HostedToolName, HostedTool] = {
    "code_interpreter": UnusedTool(),
    "file_search": UnusedTool(),
}


@pytest.fixture
def service() -> Deployment:
    return Deployment(tools=TOOLS)


def attached(file_id: str, *tools: str) -> dict[str, Any]:
    attachment = {"file_id": file_id, "tools": [{"type": tool} for tool in tools]}
    return {"role": "user", "content": "Look", "attachments": [attachment]}


def say(service: Deployment, message: dict[str, Any]) -> Answer:
    return service.api.request("POST", f"/threads/{service.thread()}/messages", message)


def test_an_attachment_that_suits_its_tools_is_kept(service: Deployment) -> None:
    message = attached(service.file(name="a.txt"), "code_interpreter", "file_search")
    answer = say(service, message)
    assert (answer.status, answer.json["attachments"]) == (200, message["attachments"])


@pytest.mark.parametrize(
    ("filename", "tool", "message"),
    [
        ("a.zip", "file_search", "Files with extensions [.zip] are not supported for retrieval."),
        ("a.go", "code_interpreter", "Files with extensions [.go] are not supported for code"),
    ],
)
def test_an_attachment_that_its_tool_does_not_take_is_refused(
    service: Deployment, filename: str, tool: str, message: str
) -> None:
    answer = say(service, attached(service.file(name=filename), tool))
    assert (answer.status, answer.error["code"]) == (400, "unsupported_file")
    assert answer.error["param"] == "attachments[0].file_id"
    assert answer.error["message"].startswith(message)


def test_an_attachment_that_does_not_exist_is_refused_wherever_it_is_named(
    service: Deployment,
) -> None:
    message = attached("file-missing", "code_interpreter")
    thread_id, assistant_id = service.thread(), service.assistant()
    run = {"assistant_id": assistant_id}
    for url, body in (
        (f"/threads/{thread_id}/messages", message),
        ("/threads", {"messages": [message]}),
        (f"/threads/{thread_id}/runs", {**run, "additional_messages": [message]}),
        ("/threads/runs", {**run, "thread": {"messages": [message]}}),
    ):
        answer = service.api.request("POST", url, body)
        assert answer.status == 404
        assert answer.error["message"] == "No file found with id 'file-missing'."


def resources(file_id: str) -> dict[str, Any]:
    return {"tool_resources": {"code_interpreter": {"file_ids": [file_id]}}}


def test_the_files_of_a_tool_must_exist_and_suit_it(service: Deployment) -> None:
    right, wrong = service.file(name="a.csv"), service.file(name="a.go")
    thread_id, assistant_id = service.thread(), service.assistant()
    for url, rest in (
        ("/assistants", {"model": "demo"}),
        (f"/assistants/{assistant_id}", {}),
        ("/threads", {}),
        (f"/threads/{thread_id}", {}),
    ):
        assert (
            service.api.post(url, {**rest, **resources(right)})["tool_resources"]
            == (resources(right)["tool_resources"])
        )
        refused = service.api.request("POST", url, {**rest, **resources(wrong)})
        assert (refused.status, refused.error["code"]) == (400, "unsupported_file")
        assert refused.error["param"] == "tool_resources.code_interpreter.file_ids[0]"
        missing = service.api.request("POST", url, {**rest, **resources("file-missing")})
        assert missing.error["message"] == "No file found with id 'file-missing'."


def test_a_file_of_another_tenant_does_not_exist(service: Deployment) -> None:
    file_id = service.file(name="a.txt")
    service.api._key = "sk-other"
    assert say(service, attached(file_id, "code_interpreter")).status == 404


def test_what_the_deployment_lacks_is_refused_before_any_file_is_looked_for() -> None:
    service = Deployment()
    answer = say(service, attached("file-missing", "file_search"))
    assert (answer.status, answer.error["param"]) == (400, "attachments[0].tools")
    assert answer.error["message"] == (
        "The tool 'file_search' is not available in this deployment."
    )


def test_a_message_without_files_reads_none(service: Deployment) -> None:
    read: list[tuple[Any, ...]] = []
    get = service.table.get

    def counted(*keys: Any) -> Any:
        read.append(keys)
        return get(*keys)

    thread_id = service.thread()
    service.table.get = counted  # type: ignore[method-assign]
    service.api.post(f"/threads/{thread_id}/messages", {"role": "user", "content": "Hello"})
    assert [keys for keys in read if keys] == []


@pytest.mark.parametrize(
    ("url", "body", "param"),
    [
        (
            "/assistants",
            {"model": "demo", "tools": [{"type": "code_interpreter"}]},
            "tools[0].type",
        ),
        (
            "/threads",
            {"tool_resources": {"file_search": {"vector_store_ids": ["vs_a"]}}},
            "tool_resources.file_search",
        ),
    ],
)
def test_a_tool_that_this_deployment_does_not_have_is_refused(
    url: str, body: dict[str, Any], param: str
) -> None:
    answer = Deployment().api.request("POST", url, body)
    assert (answer.status, answer.error["param"]) == (400, param)
    assert answer.error["message"].endswith("is not available in this deployment.")

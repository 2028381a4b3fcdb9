"""The official Node SDK, whose AssistantStream is the strictest reader of our events."""

from tests.e2e.envelope import error
from tests.e2e.node_sdk import NodeSdk
from tests.support.model_server import Break, Call, Calls, ModelServer, Text, Turn

PARIS, ROME = Call("weather", {"city": "Paris"}), Call("weather", {"city": "Rome"})


def test_a_streamed_answer(node: NodeSdk, model_server: ModelServer) -> None:
    seen = node.run("scenarios.mjs", "stream", model_server.script(Text("Hello ", "world")).name)
    assert (seen["text"], seen["status"]) == ("Hello world", "completed")
    assert seen["messages"] == ["completed"]
    assert seen["steps"] == [["message_creation", "completed"]]


def test_the_demo_model_streams_to_it_too(node: NodeSdk, demo_model: str) -> None:
    seen = node.run("scenarios.mjs", "stream", demo_model)
    assert seen["status"] == "completed"
    assert seen["text"]


def test_a_thread_created_and_streamed_in_one_call(
    node: NodeSdk, model_server: ModelServer
) -> None:
    seen = node.run("scenarios.mjs", "createAndRunStream", model_server.script(Text("Hi")).name)
    assert seen["events"][0] == "thread.created"
    assert (seen["text"], seen["status"]) == ("Hi", "completed")


def test_text_then_parallel_calls_then_another_round_then_an_answer(
    node: NodeSdk, model_server: ModelServer
) -> None:
    model = model_server.script(
        Turn(Text("One moment."), Calls(PARIS, ROME)), Calls(ROME), Text("Sunny ", "everywhere.")
    )
    first, second, third = node.run("scenarios.mjs", "streamUntilAnswered", model.name)
    assert (first["text"], first["status"]) == ("One moment.", "requires_action")
    assert second["status"] == "requires_action"
    assert (third["text"], third["status"]) == ("Sunny everywhere.", "completed")
    outputs = [m["content"] for m in model.requests[1].body["messages"] if m["role"] == "tool"]
    assert outputs == ["sunny in Paris", "sunny in Rome"]


def test_a_stream_that_ends_in_failure(node: NodeSdk, model_server: ModelServer) -> None:
    seen = node.run(
        "scenarios.mjs", "stream", model_server.script(Turn(Text("Once upon"), Break())).name
    )
    assert (seen["text"], seen["status"]) == ("Once upon", "failed")
    assert seen["steps"] == [["message_creation", "failed"]]


def test_polling_and_walking_the_messages(node: NodeSdk, model_server: ModelServer) -> None:
    seen = node.run(
        "scenarios.mjs", "pollUntilAnswered", model_server.script(Calls(PARIS), Text("Sunny.")).name
    )
    assert seen == {"status": "completed", "messages": [["user", "Hello"], ["assistant", "Sunny."]]}


def test_errors_have_their_class_and_body(node: NodeSdk) -> None:
    assert node.run("scenarios.mjs", "unknownAssistant") == {
        "type": "NotFoundError",
        "status": 404,
        "body": error("No assistant found with id 'asst_unknown'."),
        "traced": True,
    }

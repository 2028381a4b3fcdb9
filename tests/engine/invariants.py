"""The invariants of a simulation at rest: of each run, and of each answer to a client."""

import re
from collections import defaultdict
from typing import Any

from assistants.services.storage import keys
from tests.engine.contract import ENDED, segments, words
from tests.engine.scripted_model import Reply
from tests.engine.simulation import TTL_SECONDS, Request, Simulation
from tests.support.api_client import Answer, Event
from tests.support.stream_reader import StreamReader

_BUSY = {
    "create": r"^Thread (\S+) already has an active run (\S+)\.$",
    "say": r"^Can't add messages to (\S+) while a run (\S+) is active\.$",
    "delete": r"^Can't delete (\S+) while a run (\S+) is active\.$",
    "message": r"^Can't change (\S+) while a run (\S+) is active\.$",
}
_WRONG_STATUS = {
    "cancel": r"^Cannot cancel run with status '(\w+)'\.$",
    "submit": r'^Runs in status "(\w+)" do not accept tool outputs\.$',
}
CREATED = ("step.created", "message.created")
FAILING = {"error", "half a call", "defect", "content_filter"}


class Invariants:
    """Checks a simulation in which nothing moves any more."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation
        self._contract = simulation.contract

    def check(self) -> None:
        assert not self._simulation.actors, "these never end"
        living = [each for each in self._contract.threads if each not in self._contract.deleted]
        for thread_id in living:
            for run_id in self._contract.threads[thread_id]:
                self._check_run(f"/threads/{thread_id}/runs/{run_id}")
            message = {"role": "user", "content": "Are you free?"}
            self._simulation.api.post(f"/threads/{thread_id}/messages", message)
        for thread_id in self._contract.deleted:
            self._check_nothing_is_left(thread_id)
        for request in self._simulation.requests:
            self._check_request(request)
        self._check_outputs_are_taken_once()
        self._check_creations_are_made_once()

    def _check_run(self, path: str) -> None:
        api = self._simulation.api
        run = api.get(path)
        statuses = self._contract.statuses(run["id"])
        assert statuses[-1] == run["status"]
        assert run["status"] in ENDED, f"stuck: {statuses}"
        events = self._events(path)
        names = [event.name.removeprefix("thread.run.") for event in events]
        assert [name for name in names if name in {*ENDED, "cancelling"}] == [
            status for status in statuses if status in {*ENDED, "cancelling"}
        ]
        objects = _objects(events)
        steps = api.get(f"{path}/steps?order=asc&limit=100")["data"]
        url = f"/threads/{run['thread_id']}/messages?order=asc&limit=100&run_id={run['id']}"
        messages = api.get(url)["data"]
        stored = {each["id"]: each for each in (*steps, *messages)}
        removed = self._contract.deleted_messages
        assert stored == {id_: each for id_, each in objects.items() if id_ not in removed}
        assert not [each for each in objects.values() if each["status"] == "in_progress"]
        _check_code(steps)
        self._check_end(run, statuses)
        self._check_usage(run, steps)
        self._check_words(run, messages)
        _check_images(messages)

    def _events(self, path: str) -> list[Event]:
        """Read all events of the run; the strictest SDK can read each of its streams."""
        seen: list[Event] = []
        while not seen or seen[-1].name.rpartition(".")[2] not in ENDED:
            headers = {"last-event-id": str(len(seen))}
            *more, done = self._simulation.api.request(
                "GET", f"{path}/events", headers=headers
            ).events
            assert done.data == "[DONE]"
            assert more
            seen += more
        created: list[str] = []
        for part in segments(seen):
            StreamReader().read(event for event in part if event.data.get("id") not in created)
            created += [event.data["id"] for event in part if event.name.endswith(CREATED)]
        assert len(created) == len(set(created)), "something was created twice"
        return seen

    def _check_end(self, run: Any, statuses: list[str]) -> None:
        """Check that the end has its reason, and that no other end would have been right."""
        endings = {reply.turn.ending for reply in self._replies(run)}
        assert (run["status"] == "cancelled") == ("cancelling" in statuses), statuses
        match run["status"]:
            case "completed":
                assert "stop" in endings
            case "incomplete":
                assert "length" in endings
            case "expired":
                ended = self._contract.history[run["id"]][-1].time
                broken = statuses[-2] == "requires_action" and run["id"] in self._simulation.damaged
                assert broken or ended >= run["created_at"] + TTL_SECONDS
            case "failed":
                assert run["last_error"]
                assert FAILING & endings or run["id"] in self._simulation.damaged, statuses
            case _:
                asked_for = [
                    each.run_id for each in self._simulation.requests if each.kind == "cancel"
                ]
                assert run["id"] in asked_for

    def _check_usage(self, run: Any, steps: list[Any]) -> None:
        spent = sum(step["usage"]["total_tokens"] for step in steps if step["usage"])
        assert run["usage"]["total_tokens"] == spent

    def _check_words(self, run: Any, messages: list[Any]) -> None:
        """Check that no word appears twice: each message is the beginning of one reply, each reply
        is in at most one message, and a completed message holds all of its reply.
        """
        replies = [each.words for each in self._replies(run) if each.words]
        for message in messages:
            text = "".join(b["text"]["value"] for b in message["content"] if "text" in b)
            said = words(text)
            assert text == "".join(said), "a piece of a marker was shown"
            if not said:
                continue
            [reply] = [each for each in replies if each[0] == said[0]]
            replies.remove(reply)
            assert reply[: len(said)] == said
            assert message["status"] != "completed" or reply == said

    def _replies(self, run: Any) -> list[Reply]:
        return self._simulation.model.scripts[run["instructions"]].replies

    def _check_nothing_is_left(self, thread_id: str) -> None:
        runs = self._contract.threads[thread_id]
        partitions = {f"#t#{thread_id}", *(f"#r#{run_id}" for run_id in runs)}
        left = [
            key for key in self._simulation.table.rows if key.partition.endswith(tuple(partitions))
        ]
        assert not left, left
        assert not [
            key for key in self._simulation.table.rows if keys.PURGE in key.partition.split("#")
        ]

    def _check_request(self, request: Request) -> None:
        answer = request.answer
        if answer is None:
            return
        if answer.status == 200:
            self._check_stream(request, answer)
            return
        if answer.status == 404:
            gone = self._contract.deleted.get(request.thread_id, request.ended + 1)
            assert gone <= request.ended or request.url.endswith(
                tuple(self._contract.deleted_messages)
            )
            return
        assert answer.status == 400, (request.kind, answer.body)
        message = answer.error["message"]
        if match := re.match(_BUSY.get(request.kind, "$^"), message):
            active = self._contract.active_in(request.thread_id, request.began, request.ended)
            assert match[2] in active, message
        elif match := re.match(_WRONG_STATUS.get(request.kind, "$^"), message):
            held = self._contract.status_in(request.run_id, request.began, request.ended)
            assert match[1] in held or match[1] == "expired", message
        else:
            assert request.kind == "submit", message
            assert message.startswith("Expected tool outputs for call_ids "), message

    def _check_stream(self, request: Request, answer: Answer) -> None:
        """Check that a stream has its end. The strictest SDK can read a new one, and a resumed one
        goes on where the client was.
        """
        if not answer.headers["content-type"].startswith("text/event-stream"):
            return
        *events, done = answer.events
        assert done.data == "[DONE]"
        if (
            events and events[-1].name == "error"
        ):  # the run outlived its time, and no sweep has come
            events.pop()
        if request.kind != "watch":
            StreamReader().read(events)
        elif request.thread_id not in self._contract.deleted:
            seen = int(request.headers["last-event-id"])
            whole = self._events(f"/threads/{request.thread_id}/runs/{request.run_id}")
            assert events == whole[seen : seen + len(events)]

    def _check_outputs_are_taken_once(self) -> None:
        """Check that all submits that one wait accepted are the same."""
        taken: dict[tuple[str, ...], set[tuple[str, ...]]] = defaultdict(set)
        for request in self._accepted("submit"):
            outputs = {
                each["tool_call_id"]: each["output"] for each in request.body["tool_outputs"]
            }
            taken[tuple(sorted(outputs))].add(tuple(outputs[call] for call in sorted(outputs)))
        assert all(len(answers) == 1 for answers in taken.values()), taken

    def _check_creations_are_made_once(self) -> None:
        """Check that all answers to one Idempotency-Key name one run."""
        made: dict[str, set[str]] = defaultdict(set)
        for request in self._accepted("create"):
            if request.key and not request.body.get("stream"):
                assert request.answer is not None
                made[request.key].add(request.answer.json["id"])
        assert all(len(runs) == 1 for runs in made.values()), made

    def _accepted(self, kind: str) -> list[Request]:
        return [
            each
            for each in self._simulation.requests
            if each.kind == kind and each.answer and each.answer.status == 200
        ]


def _check_images(messages: list[Any]) -> None:
    """Check that the image of a call is in one message, once, and before its text."""
    kinds = [[block["type"] for block in message["content"]] for message in messages]
    assert all(each == sorted(each) for each in kinds)  # "image_file" comes before "text"
    shown = [
        block["image_file"]["file_id"]
        for message in messages
        for block in message["content"]
        if block["type"] == "image_file"
    ]
    assert shown == sorted(set(shown))


def _check_code(steps: list[Any]) -> None:
    """Check that a call of the server's tool has one answer before its step is completed."""
    for step in steps:
        for call in step["step_details"].get("tool_calls", ()):
            if call["type"] == "code_interpreter":
                outputs = call["code_interpreter"]["outputs"]
                assert outputs in ([], [{"type": "logs", "logs": "42"}])
                assert outputs or step["status"] != "completed"


def _objects(events: list[Event]) -> dict[str, Any]:
    """Return steps and messages as the last event of each leaves them."""
    return {
        event.data["id"]: event.data
        for event in events
        if event.name.startswith(("thread.run.step.", "thread.message."))
        and not event.name.endswith(".delta")
    }

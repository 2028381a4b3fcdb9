"""What must be true once everything has come to rest: of each run, and of each answer given."""

import re
from collections import defaultdict
from typing import Any

from assistants.services.storage import keys
from tests.engine.contract import ENDED, segments, words
from tests.engine.scripted_model import Asked
from tests.engine.simulation import TTL_SECONDS, Request, World
from tests.support.deployment import Answer, Event
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


class Verdict:
    """Asserts all of it about a world that is quiet."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._contract = world.contract

    def give(self) -> None:
        assert not self._world.actors, "these never end"
        living = [each for each in self._contract.threads if each not in self._contract.deleted]
        for thread_id in living:
            for run_id in self._contract.threads[thread_id]:
                self._judge_run(f"/threads/{thread_id}/runs/{run_id}")
            message = {"role": "user", "content": "Are you free?"}
            self._world.api.post(f"/threads/{thread_id}/messages", message)
        for thread_id in self._contract.deleted:
            self._nothing_is_left(thread_id)
        for request in self._world.requests:
            self._judge_request(request)
        self._outputs_are_taken_once()
        self._creations_are_made_once()

    def _judge_run(self, path: str) -> None:
        api = self._world.api
        run = api.get(path)
        statuses = self._contract.statuses(run["id"])
        assert statuses[-1] == run["status"]
        assert run["status"] in ENDED, f"stuck: {statuses}"
        told = self._told(path)
        names = [event.name.removeprefix("thread.run.") for event in told]
        assert [name for name in names if name in {*ENDED, "cancelling"}] == [
            status for status in statuses if status in {*ENDED, "cancelling"}
        ]
        objects = _objects(told)
        steps = api.get(f"{path}/steps?order=asc&limit=100")["data"]
        url = f"/threads/{run['thread_id']}/messages?order=asc&limit=100&run_id={run['id']}"
        messages = api.get(url)["data"]
        stored = {each["id"]: each for each in (*steps, *messages)}
        unsaid = self._contract.unsaid
        assert stored == {id_: each for id_, each in objects.items() if id_ not in unsaid}
        assert not [each for each in objects.values() if each["status"] == "in_progress"]
        _judge_code(steps)
        self._judge_end(run, statuses)
        self._judge_usage(run, steps)
        self._judge_words(run, messages)
        _judge_images(messages)

    def _told(self, path: str) -> list[Event]:
        """All events of the run; every stream of them is one that the strictest SDK can read."""
        seen: list[Event] = []
        while not seen or seen[-1].name.rpartition(".")[2] not in ENDED:
            headers = {"last-event-id": str(len(seen))}
            *more, done = self._world.api.request("GET", f"{path}/events", headers=headers).events
            assert done.data == "[DONE]"
            assert more
            seen += more
        created: list[str] = []
        for part in segments(seen):
            StreamReader().read(event for event in part if event.data.get("id") not in created)
            created += [event.data["id"] for event in part if event.name.endswith(CREATED)]
        assert len(created) == len(set(created)), "something was created twice"
        return seen

    def _judge_end(self, run: Any, statuses: list[str]) -> None:
        """Each end has its reason, and no other end would have been right."""
        endings = {asked.turn.ending for asked in self._asked(run)}
        assert (run["status"] == "cancelled") == ("cancelling" in statuses), statuses
        match run["status"]:
            case "completed":
                assert "stop" in endings
            case "incomplete":
                assert "length" in endings
            case "expired":
                ended = self._contract.history[run["id"]][-1].time
                broken = statuses[-2] == "requires_action" and run["id"] in self._world.damage
                assert broken or ended >= run["created_at"] + TTL_SECONDS
            case "failed":
                assert run["last_error"]
                assert FAILING & endings or run["id"] in self._world.damage, statuses
            case _:
                asked_for = [each.run_id for each in self._world.requests if each.kind == "cancel"]
                assert run["id"] in asked_for

    def _judge_usage(self, run: Any, steps: list[Any]) -> None:
        spent = sum(step["usage"]["total_tokens"] for step in steps if step["usage"])
        assert run["usage"]["total_tokens"] == spent

    def _judge_words(self, run: Any, messages: list[Any]) -> None:
        """Nothing is said twice: each message is the beginning of one answer, each answer is told
        at most once, and a whole answer is told whole.
        """
        answers = [each.words for each in self._asked(run) if each.words]
        for message in messages:
            text = "".join(b["text"]["value"] for b in message["content"] if "text" in b)
            said = words(text)
            assert text == "".join(said), "a piece of a marker was shown"
            if not said:
                continue
            [answer] = [each for each in answers if each[0] == said[0]]
            answers.remove(answer)
            assert answer[: len(said)] == said
            assert message["status"] != "completed" or answer == said

    def _asked(self, run: Any) -> list[Asked]:
        return self._world.theatre.plays[run["instructions"]].asked

    def _nothing_is_left(self, thread_id: str) -> None:
        runs = self._contract.threads[thread_id]
        partitions = {f"#t#{thread_id}", *(f"#r#{run_id}" for run_id in runs)}
        left = [key for key in self._world.table.rows if key.partition.endswith(tuple(partitions))]
        assert not left, left
        assert not [key for key in self._world.table.rows if keys.PURGE in key.partition.split("#")]

    def _judge_request(self, request: Request) -> None:
        answer = request.answer
        if answer is None:
            return
        if answer.status == 200:
            self._judge_stream(request, answer)
            return
        if answer.status == 404:
            gone = self._contract.deleted.get(request.thread_id, request.ended + 1)
            assert gone <= request.ended or request.url.endswith(tuple(self._contract.unsaid))
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

    def _judge_stream(self, request: Request, answer: Answer) -> None:
        """A stream has an end. A new one can be read by the strictest SDK, a resumed one goes on
        where the client was.
        """
        if not answer.headers["content-type"].startswith("text/event-stream"):
            return
        *told, done = answer.events
        assert done.data == "[DONE]"
        if told and told[-1].name == "error":  # the run outlived its time, before any sweep
            told.pop()
        if request.kind != "watch":
            StreamReader().read(told)
        elif request.thread_id not in self._contract.deleted:
            seen = int(request.headers["last-event-id"])
            whole = self._told(f"/threads/{request.thread_id}/runs/{request.run_id}")
            assert told == whole[seen : seen + len(told)]

    def _outputs_are_taken_once(self) -> None:
        """Of all submits for one wait those that were accepted are the same."""
        taken: dict[tuple[str, ...], set[tuple[str, ...]]] = defaultdict(set)
        for request in self._accepted("submit"):
            outputs = {
                each["tool_call_id"]: each["output"] for each in request.body["tool_outputs"]
            }
            taken[tuple(sorted(outputs))].add(tuple(outputs[call] for call in sorted(outputs)))
        assert all(len(answers) == 1 for answers in taken.values()), taken

    def _creations_are_made_once(self) -> None:
        """All answers to one Idempotency-Key name one run."""
        made: dict[str, set[str]] = defaultdict(set)
        for request in self._accepted("create"):
            if request.key and not request.body.get("stream"):
                assert request.answer is not None
                made[request.key].add(request.answer.json["id"])
        assert all(len(runs) == 1 for runs in made.values()), made

    def _accepted(self, kind: str) -> list[Request]:
        return [
            each
            for each in self._world.requests
            if each.kind == kind and each.answer and each.answer.status == 200
        ]


def _judge_images(messages: list[Any]) -> None:
    """What a call has made is shown in one message, once, and before its text."""
    kinds = [[block["type"] for block in message["content"]] for message in messages]
    assert all(each == sorted(each) for each in kinds)  # "image_file" comes before "text"
    shown = [
        block["image_file"]["file_id"]
        for message in messages
        for block in message["content"]
        if block["type"] == "image_file"
    ]
    assert shown == sorted(set(shown))


def _judge_code(steps: list[Any]) -> None:
    """A call of the server's tool is answered once, and before its step is completed."""
    for step in steps:
        for call in step["step_details"].get("tool_calls", ()):
            if call["type"] == "code_interpreter":
                outputs = call["code_interpreter"]["outputs"]
                assert outputs in ([], [{"type": "logs", "logs": "42"}])
                assert outputs or step["status"] != "completed"


def _objects(told: list[Event]) -> dict[str, Any]:
    """Steps and messages as the last event of each leaves them."""
    return {
        event.data["id"]: event.data
        for event in told
        if event.name.startswith(("thread.run.step.", "thread.message."))
        and not event.name.endswith(".delta")
    }

"""Check one ended run by what any client can read of it."""

from typing import Any

from tests.engine.contract import ENDED, segments, words
from tests.engine.retrying_client import RetryingClient
from tests.support.api_client import Event
from tests.support.deployment import path
from tests.support.stream_reader import StreamReader

WORDS = 3  # in each answer of the models that these tests use; each word is a number, counted up


def audit(client: RetryingClient, run: dict[str, Any]) -> str:
    """Assert that the events of an ended run have no gap and agree with the stored objects, that
    every object is closed and no word appears twice. Return the run's status.
    """
    assert run["status"] in ENDED, f"stuck: {run}"
    created = _read(client.follow(run))
    assert len(created) == len(set(created)), "something was created twice"
    query = f"?order=asc&limit=100&run_id={run['id']}"
    messages = client.get(f"threads/{run['thread_id']}/messages{query}")["data"]
    steps = client.get(f"{path(run)}/steps?order=asc&limit=100")["data"]
    assert sorted(created) == sorted(each["id"] for each in (*messages, *steps))
    assert not [each for each in (*messages, *steps) if each["status"] == "in_progress"]
    for message in messages:
        content = message["content"]
        numbers = [
            int(word[1:-1]) for word in words(content[0]["text"]["value"] if content else "")
        ]
        assert numbers == [numbers[0] + n for n in range(len(numbers))], f"repeated: {numbers}"
        assert len(numbers) == WORDS or message["status"] == "incomplete"
    return str(run["status"])


def _read(events: list[Event]) -> list[str]:
    """Return the ids of the created objects; the strictest SDK can read each of the streams."""
    created: list[str] = []
    for part in segments(events):
        StreamReader().read(event for event in part if event.data.get("id") not in created)
        created += [
            event.data["id"]
            for event in part
            if event.name.endswith(("step.created", "message.created"))
        ]
    return created

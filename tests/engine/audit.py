"""The account of one run, by what any client can read of it."""

from typing import Any

from tests.engine.contract import ENDED, segments, words
from tests.engine.retrying_client import Patient, path_of
from tests.support.deployment import Event
from tests.support.stream_reader import StreamReader

WORDS = 3  # in each answer of the models that these tests use; they count up, none comes twice


def account_for(client: Patient, run: dict[str, Any]) -> str:
    """Assert that an ended run was told without a gap, that what was told is what is stored, that
    everything is closed and nothing was said twice. Returns its status.
    """
    assert run["status"] in ENDED, f"stuck: {run}"
    created = _read(client.follow(run))
    assert len(created) == len(set(created)), "something was created twice"
    query = f"?order=asc&limit=100&run_id={run['id']}"
    messages = client.get(f"threads/{run['thread_id']}/messages{query}")["data"]
    steps = client.get(f"{path_of(run)}/steps?order=asc&limit=100")["data"]
    assert sorted(created) == sorted(each["id"] for each in (*messages, *steps))
    assert not [each for each in (*messages, *steps) if each["status"] == "in_progress"]
    for message in messages:
        content = message["content"]
        numbers = [
            int(word[1:-1]) for word in words(content[0]["text"]["value"] if content else "")
        ]
        assert numbers == [numbers[0] + n for n in range(len(numbers))], f"said twice: {numbers}"
        assert len(numbers) == WORDS or message["status"] == "incomplete"
    return str(run["status"])


def _read(told: list[Event]) -> list[str]:
    """The ids of what was created; each stream is one that the strictest SDK can read."""
    created: list[str] = []
    for part in segments(told):
        StreamReader().read(event for event in part if event.data.get("id") not in created)
        created += [
            event.data["id"]
            for event in part
            if event.name.endswith(("step.created", "message.created"))
        ]
    return created

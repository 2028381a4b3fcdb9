"""Changes of what somebody else changes or deletes at the same time."""

from typing import Any

import pytest

from tests.support.deployment import Deployment
from tests.support.racing_table import RacingTable


@pytest.mark.parametrize("kind", ["assistants", "threads", "messages", "runs"])
def test_of_two_changes_at_once_none_is_lost(kind: str) -> None:
    table = RacingTable()
    deployment = Deployment(machine=False, table=table)
    if kind == "assistants":
        url = f"/assistants/{deployment.assistant()}"
        one: dict[str, Any] = {"name": "A"}
        two: dict[str, Any] = {"metadata": {"a": "2"}}
        both = one | two
    else:
        run = deployment.run()
        base = f"/threads/{run['thread_id']}"
        [sent] = deployment.api.get(f"{base}/messages")["data"]
        urls = {"threads": base, "messages": f"{base}/messages/{sent['id']}"}
        url = urls.get(kind, f"{base}/runs/{run['id']}")
        one, two = {"metadata": {"a": "1"}}, {"metadata": {"a": "2"}}
        both = two
    table.rival = lambda: deployment.api.post(url, one)
    deployment.api.post(url, two)
    found = deployment.api.get(url)
    assert {name: found[name] for name in both} == both


def test_a_change_to_an_object_deleted_at_the_same_time_is_not_found() -> None:
    table = RacingTable()
    deployment = Deployment(table=table)
    url = f"/assistants/{deployment.assistant()}"
    table.rival = lambda: deployment.api.delete(url)
    assert deployment.api.request("POST", url, {"name": "A"}).status == 404
    assert deployment.api.request("GET", url).status == 404

"""Races that the interleavings found, each played by hand."""

from tests.unit.deployment import Deployment, path


def test_a_client_that_has_seen_the_end_of_a_run_is_told_so_at_once() -> None:
    deployment = Deployment(["Hello"])
    run = deployment.run()
    last = str(len(deployment.events(run)))
    answer = deployment.api.request("GET", f"{path(run)}/events", headers={"last-event-id": last})
    assert [event.name for event in answer.events] == ["done"]

"""What is left of a deleted thread is removed by few messages, however much it is."""

from assistants.domain.ids import ThreadId
from assistants.ports.table import Key, Row
from assistants.services.storage import keys
from tests.support.deployment import Deployment, user_message


def test_one_message_suffices_for_a_thread_of_20_000_rows_while_there_is_time() -> None:
    """Lambda stops a function that has sent some 16 messages to its own queue in a chain."""
    deployment = Deployment()
    before = dict(deployment.table.rows)
    thread_id = deployment.thread("Hello")
    partition = keys.in_thread(deployment.project, ThreadId(thread_id))
    for number in range(20_000):
        key = Key(partition, f"{keys.MESSAGES}{number:026}")
        deployment.table.rows[key] = Row(key, {})
    deployment.api.delete(f"/threads/{thread_id}")
    assert deployment.purge(seconds=50) == 1
    assert deployment.table.rows == before


def test_a_purge_asks_for_the_rest_once_its_time_is_over() -> None:
    deployment = Deployment()
    before = dict(deployment.table.rows)
    thread = {"messages": [user_message(str(number)) for number in range(3_000)]}
    thread_id = str(deployment.api.post("/threads", thread)["id"])
    deployment.api.delete(f"/threads/{thread_id}")
    deployment.clock.step = 10  # for each page
    assert deployment.purge(seconds=25) == 2  # of three pages each
    assert deployment.table.rows == before


def test_a_long_purge_does_not_get_a_worker_a_minute() -> None:
    deployment = Deployment()
    deployment.api.delete(f"/threads/{deployment.thread('Hello')}")
    deployment.clock.now += 301
    for _ in range(3):
        deployment.backend.maintenance.sweeper.sweep()
        deployment.clock.now += 60
    assert len(deployment.purge_queue.sent) == 2

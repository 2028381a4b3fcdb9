"""Ten clients create a run on one thread at once: one succeeds, nine learn which run is active."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx2

from tests.engine.harness import Harness
from tests.engine.scenarios import calls

CLIENTS = 10
ROUNDS = 20


def test_of_ten_simultaneous_runs_one_is_accepted_time_after_time(harness: Harness) -> None:
    harness.begin()
    assistant_id = harness.assistant(calls)
    start = Barrier(CLIENTS)

    def create(_: int) -> httpx2.Response:
        start.wait()
        return harness.client.http.post(harness.runs, json={"assistant_id": assistant_id})

    with ThreadPoolExecutor(CLIENTS) as pool:
        for _ in range(ROUNDS):
            answers = list(pool.map(create, range(CLIENTS)))
            assert sorted(each.status_code for each in answers) == [200] + [400] * (CLIENTS - 1)
            [run] = [each.json() for each in answers if each.status_code == 200]
            refusals = {
                each.json()["error"]["message"] for each in answers if each.status_code == 400
            }
            assert refusals == {
                f"Thread {harness.thread_id} already has an active run {run['id']}."
            }
            while (waiting := harness.now(run))["status"] in {"queued", "in_progress"}:
                time.sleep(0.01)
            assert harness.submit(waiting)["status"] == "completed"
    runs = harness.client.get(f"{harness.runs}?limit=100")["data"]
    assert len(runs) == ROUNDS

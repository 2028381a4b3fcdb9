"""Ten clients create a run on one thread in the same moment: one may, nine are told who did."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx2

from tests.engine.scenario import Stage
from tests.engine.scenarios import calls

RACERS = 10
ROUNDS = 20


def test_of_ten_simultaneous_runs_one_is_accepted_time_after_time(stage: Stage) -> None:
    stage.begin()
    assistant_id = stage.assistant(calls)
    start = Barrier(RACERS)

    def create(_: int) -> httpx2.Response:
        start.wait()
        return stage.client.http.post(stage.runs, json={"assistant_id": assistant_id})

    with ThreadPoolExecutor(RACERS) as pool:
        for _ in range(ROUNDS):
            answers = list(pool.map(create, range(RACERS)))
            assert sorted(each.status_code for each in answers) == [200] + [400] * (RACERS - 1)
            [run] = [each.json() for each in answers if each.status_code == 200]
            told = {each.json()["error"]["message"] for each in answers if each.status_code == 400}
            assert told == {f"Thread {stage.thread_id} already has an active run {run['id']}."}
            while (waiting := stage.now(run))["status"] in {"queued", "in_progress"}:
                time.sleep(0.01)
            assert stage.submit(waiting)["status"] == "completed"
    runs = stage.client.get(f"{stage.runs}?limit=100")["data"]
    assert len(runs) == ROUNDS

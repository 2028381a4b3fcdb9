"""Run steps: list and get."""

from dataclasses import dataclass

from assistants.domain.errors import no_such
from assistants.domain.ids import STEP, check_id
from assistants.domain.page import Cursor, Page
from assistants.domain.run_step import Include, RunStep, shown
from assistants.ports.table import Row, Store
from assistants.services.runs.repository import RunRecords
from assistants.services.storage import keys
from assistants.services.storage.pagination import page


@dataclass(frozen=True)
class RunSteps:
    store: Store
    records: RunRecords

    def list(
        self, project: str, thread_id: str, run_id: str, cursor: Cursor, include: Include
    ) -> Page[RunStep]:
        self.records.load(project, thread_id, run_id)

        def load(row: Row) -> RunStep:
            return shown(RunStep.model_validate(row.body), include)

        partition = keys.in_thread(project, thread_id)
        return page(self.store, partition, keys.steps(run_id), cursor, load)

    def get(
        self, project: str, thread_id: str, run_id: str, step_id: str, include: Include
    ) -> RunStep:
        self.records.load(project, thread_id, run_id)
        check_id(step_id, STEP, "step_id")
        [row] = self.store.get(keys.step(project, thread_id, run_id, step_id))
        if row is None:
            raise no_such("run step", step_id)
        return shown(RunStep.model_validate(row.body), include)

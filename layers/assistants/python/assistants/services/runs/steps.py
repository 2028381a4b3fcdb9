"""Run steps: list and get."""

from dataclasses import dataclass

from assistants.domain.errors import no_such
from assistants.domain.ids import STEP, RunRef, check_id
from assistants.domain.page import Cursor, Page
from assistants.domain.run_step import Include, RunStep
from assistants.ports.table import Row, Table
from assistants.services.runs.repository import RunRepository
from assistants.services.storage import keys
from assistants.services.storage.pagination import page


@dataclass(frozen=True)
class RunSteps:
    table: Table
    repository: RunRepository

    def list(
        self,
        ref: RunRef,
        cursor: Cursor,
        include: Include,
    ) -> Page[RunStep]:
        self.repository.load(ref)

        def load(row: Row) -> RunStep:
            return RunStep.model_validate(row.body).to_api(include)

        partition = keys.in_thread(ref.project, ref.thread_id)
        return page(self.table, partition, keys.steps(ref.run_id), cursor, load)

    def get(self, ref: RunRef, step_id: str, include: Include) -> RunStep:
        self.repository.load(ref)
        check_id(step_id, STEP, "step_id")
        [row] = self.table.get(keys.step(ref, step_id))
        if row is None:
            raise no_such("run step", step_id)
        return RunStep.model_validate(row.body).to_api(include)

"""/v1/threads/{thread_id}/runs/{run_id}/steps"""

from assistants.domain.page import Cursor, Page
from assistants.domain.run_step import Include, RunStep
from assistants.domain.schema import Request
from assistants.http.call import Call


class StepCursor(Cursor):
    include: Include = []


class StepQuery(Request):
    include: Include = []


def list_(call: Call, query: StepCursor) -> Page[RunStep]:
    return call.backend.runs.steps.list(call.run, query, query.include)


def get(call: Call, query: StepQuery) -> RunStep:
    step_id = call.path["step_id"]
    return call.backend.runs.steps.get(call.run, step_id, query.include)

"""/v1/threads/{thread_id}/runs/{run_id}/steps"""

from assistants.domain.page import Cursor, Page
from assistants.domain.run_step import RunStep
from assistants.http.call import Call


def list_(call: Call, query: Cursor) -> Page[RunStep]:
    thread_id, run_id = call.path["thread_id"], call.path["run_id"]
    return call.backend.run_steps.list(call.project, thread_id, run_id, query)


def get(call: Call) -> RunStep:
    thread_id, run_id = call.path["thread_id"], call.path["run_id"]
    return call.backend.run_steps.get(call.project, thread_id, run_id, call.path["step_id"])

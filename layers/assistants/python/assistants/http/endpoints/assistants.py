"""/v1/assistants"""

from assistants.domain.assistant import Assistant, AssistantCreate, AssistantModify
from assistants.domain.ids import ASSISTANT
from assistants.domain.page import Cursor, Page
from assistants.domain.schema import Deleted
from assistants.http.call import Call


def create(call: Call, body: AssistantCreate) -> Assistant:
    return call.backend.assistants.service.create(call.project, body, call.new_id(ASSISTANT))


def list_(call: Call, query: Cursor) -> Page[Assistant]:
    return call.backend.assistants.service.list(call.project, query)


def get(call: Call) -> Assistant:
    return call.backend.assistants.service.get(call.project, call.path["assistant_id"])


def modify(call: Call, body: AssistantModify) -> Assistant:
    return call.backend.assistants.service.modify(call.project, call.path["assistant_id"], body)


def delete(call: Call) -> Deleted:
    return call.backend.assistants.service.delete(call.project, call.path["assistant_id"])

"""/v1/models"""

from assistants.domain.model import Model
from assistants.domain.page import Listing
from assistants.http.call import Call


def list_(call: Call) -> Listing[Model]:
    return Listing(data=call.backend.ports.catalog.models())


def get(call: Call) -> Model:
    return call.backend.ports.catalog.model(call.path["model"])

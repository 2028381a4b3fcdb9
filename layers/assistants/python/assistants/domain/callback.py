"""The wait for tool outputs of the client, which a callback with a task token ends."""

from assistants.domain.schema import Object


class Callback(Object):
    """Hold what the callback of one wait needs, and how the wait ended.

    A repeated state has a new token, so there may be several; one of them is alive, most likely
    the newest.
    """

    tokens: list[str]
    outputs_digest: str | None = None  # of the outputs that ended the wait
    sequence: int = 0  # of the journal record before the outputs: a stream of the rest starts after

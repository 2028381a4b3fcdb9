"""A line of the route table."""

from dataclasses import dataclass

from assistants.http.call import Endpoint


@dataclass(frozen=True)
class Route:
    """A method and path below `/v1`; `streams` when the answer may come piece by piece or take
    longer than API Gateway waits for a whole one, `public` when no key is needed.
    """

    method: str
    path: str
    endpoint: Endpoint
    streams: bool = False
    public: bool = False

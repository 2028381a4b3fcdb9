"""An entry of the route table."""

from dataclasses import dataclass

from assistants.http.call import Endpoint


@dataclass(frozen=True)
class Route:
    """A method and a path below `/v1`.

    `streams`: the response may be streamed, or may take longer than API Gateway waits for a
    buffered one. `public`: no API key is needed.
    """

    method: str
    path: str
    endpoint: Endpoint
    streams: bool = False
    public: bool = False

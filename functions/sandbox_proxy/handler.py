"""In the network of the code interpreter: one call of one session."""

from typing import Any

from assistants.bootstrap import sandbox_proxy


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """`adapters.sandbox_calls.Request` in, its answer out; the request holds a token."""
    return sandbox_proxy()(event)

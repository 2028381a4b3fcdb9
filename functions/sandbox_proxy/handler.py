"""Make one call to one sandbox, from inside the network of the sandboxes."""

from typing import Any

from assistants.bootstrap import sandbox_proxy


def handler(event: dict[str, Any], _: Any) -> dict[str, Any]:
    """Take an `adapters.sandbox_calls.Request`, which holds a token; return the answer to it."""
    return sandbox_proxy()(event)

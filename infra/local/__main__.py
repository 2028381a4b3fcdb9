"""Serve the API on this machine until Ctrl-C (`make up`)."""

import logging
import os
import signal
import sys
import threading

from infra.local.concurrency import LIMIT
from infra.local.deployment import DeploymentError
from infra.local.hot_reload import HotReload
from infra.local.http_server import ListenError
from infra.local.parameters import InvalidParameterError
from infra.local.schedules import UnsupportedScheduleError
from infra.local.settings import DEMO, parameters_of
from infra.local.stack import LocalStack
from infra.local.synthesis import SynthesisError

WELCOME = """
Serving at {base_url} — any API key is accepted, each is a tenant of its own.
{models}
State is in memory: it is gone when this program ends (Ctrl-C).
Edits of functions and layers take effect at once. The functions' logs are in {logs}.

    from openai import OpenAI
    client = OpenAI(base_url="{base_url}", api_key="sk-local")
    print(client.beta.assistants.create(model="{model}", name="Hello").id)

    curl {base_url}/assistants -H "Authorization: Bearer sk-local" \\
        -H "OpenAI-Beta: assistants=v2"
"""


def main() -> None:
    # moto logs errors of the functions and states that it runs, which are handled there.
    logging.getLogger("moto").setLevel(logging.CRITICAL)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        _serve()
    except KeyboardInterrupt:
        print("\nStopped; nothing is left running.")
    except ListenError as error:
        sys.exit(f"{error} ASSISTANTS_HOST and ASSISTANTS_PORT choose another address.")
    except (
        SynthesisError,
        InvalidParameterError,
        DeploymentError,
        UnsupportedScheduleError,
    ) as error:
        sys.exit(str(error))


def _serve() -> None:
    host, port = _address()
    search = os.environ.get("ASSISTANTS_SEARCH_ENDPOINT")
    with LocalStack(
        parameters_of(os.environ),
        host=host,
        port=port,
        search_endpoint=search,
        concurrency=_concurrency(),
    ) as stack:
        print(_welcome(stack), flush=True)
        HotReload(stack.functions, _announce)
        threading.Event().wait()


def _address() -> tuple[str, int]:
    port = os.environ.get("ASSISTANTS_PORT", "8000")
    if not port.isdecimal():
        sys.exit(f"ASSISTANTS_PORT is {port!r}: it must be a port number.")
    return os.environ.get("ASSISTANTS_HOST", "127.0.0.1"), int(port)


def _concurrency() -> int:
    limit = os.environ.get("ASSISTANTS_CONCURRENCY", str(LIMIT))
    if not limit.isdecimal() or int(limit) < 1:
        sys.exit(f"ASSISTANTS_CONCURRENCY is {limit!r}: it must be a positive number.")
    return int(limit)


def _welcome(stack: LocalStack) -> str:
    parameters = stack.parameters
    if parameters.get("Models") == DEMO:
        model, models = "demo", "Every model name is answered by the built-in demo model."
    else:
        model, models = "gpt-4o", f"Models: {parameters.get('ModelUrl') or parameters['Models']}"
    logs = stack.functions.logs
    return WELCOME.format(base_url=stack.base_url, model=model, models=models, logs=logs)


def _announce(reloaded: list[str]) -> None:
    print(f"Edited: {', '.join(reloaded)} restart when next invoked.", flush=True)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()

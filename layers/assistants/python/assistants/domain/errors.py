"""Errors of the API, typed, with the messages of the original."""

from collections.abc import Iterable, Sequence


class ApiError(Exception):
    """Raised to answer a client with `{"error": {message, type, param, code}}`."""

    status = 500
    type = "server_error"

    def __init__(self, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code


class InvalidRequestError(ApiError):
    """Raised when a parameter, or the state of an object, does not allow the request."""

    status = 400
    type = "invalid_request_error"


class AuthenticationError(InvalidRequestError):
    """Raised when the request has no valid API key."""

    status = 401


class NotFoundError(InvalidRequestError):
    """Raised when the project has no such object, or the service no such URL."""

    status = 404


class MethodNotAllowedError(InvalidRequestError):
    """Raised when a URL exists, but not for this method."""

    status = 405


class GoneError(InvalidRequestError):
    """Raised when an object existed and is no longer kept."""

    status = 410


class TooLargeError(InvalidRequestError):
    """Raised when a body, or a file in it, is larger than the limit."""

    status = 413


class RateLimitError(ApiError):
    """Raised when a limit of the deployment is reached; a later call can succeed."""

    status = 429
    type = "requests"


class UnavailableError(ApiError):
    """Raised when a part of the deployment does not answer; a later call can succeed."""

    status = 503


def no_such(kind: str, identifier: str) -> NotFoundError:
    return NotFoundError(f"No {kind} found with id '{identifier}'.")


def no_api_key() -> AuthenticationError:
    return AuthenticationError(
        "You didn't provide an API key. You need to provide your API key in an Authorization "
        "header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."
    )


def wrong_api_key(key: str) -> AuthenticationError:
    shown = key if len(key) <= 8 else f"{key[:3]}{'*' * 8}{key[-4:]}"
    return AuthenticationError(f"Incorrect API key provided: {shown}.", code="invalid_api_key")


def thread_busy(thread_id: str, run_id: str) -> InvalidRequestError:
    return InvalidRequestError(f"Thread {thread_id} already has an active run {run_id}.")


def thread_closed_to_messages(thread_id: str, run_id: str) -> InvalidRequestError:
    return InvalidRequestError(f"Can't add messages to {thread_id} while a run {run_id} is active.")


def thread_in_use(thread_id: str, run_id: str) -> InvalidRequestError:
    return InvalidRequestError(f"Can't delete {thread_id} while a run {run_id} is active.")


def message_unfinished(message_id: str, run_id: str | None) -> InvalidRequestError:
    return InvalidRequestError(f"Can't change {message_id} while a run {run_id} is active.")


def outputs_not_accepted(status: str) -> InvalidRequestError:
    return InvalidRequestError(f'Runs in status "{status}" do not accept tool outputs.')


def wrong_outputs(expected: Iterable[str], got: Iterable[str]) -> InvalidRequestError:
    return InvalidRequestError(
        f"Expected tool outputs for call_ids {list(expected)}, got {list(got)}"
    )


def not_cancellable(status: str) -> InvalidRequestError:
    return InvalidRequestError(f"Cannot cancel run with status '{status}'.")


def store_expired(vector_store_id: str) -> InvalidRequestError:
    return InvalidRequestError(f"Vector store {vector_store_id} is expired.")


def unsupported_model(model: str, hint: str) -> InvalidRequestError:
    message = f"The requested model '{model}' cannot be used with the Assistants API. {hint}"
    return InvalidRequestError(message, param="model", code="unsupported_model")


def unsupported_parameter(name: str) -> InvalidRequestError:
    message = f"Unsupported parameter: '{name}' is not supported with this model."
    return InvalidRequestError(message, param=name, code="unsupported_parameter")


def unsupported_value(name: str, value: str, supported: Sequence[str]) -> InvalidRequestError:
    message = (
        f"Unsupported value: '{name}' does not support '{value}' with this model. "
        f"Supported values are: {_enumerated(supported)}."
    )
    return InvalidRequestError(message, param=name, code="unsupported_value")


def _enumerated(values: Sequence[str]) -> str:
    """Join values as OpenAI does: `'low', 'medium', and 'high'`."""
    *others, last = [f"'{value}'" for value in values]
    if not others:
        return last
    return f"{', '.join(others)}{',' if len(others) > 1 else ''} and {last}"

"""The members of OpenAI's error envelope."""


def error(
    message: str,
    param: str | None = None,
    code: str | None = None,
    kind: str = "invalid_request_error",
) -> dict[str, str | None]:
    """Return the object under `error` of a refusal; the SDK calls it the error's `body`."""
    return {"message": message, "type": kind, "param": param, "code": code}

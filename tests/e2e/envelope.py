"""The members of OpenAI's error envelope."""


def error(
    message: str,
    param: str | None = None,
    code: str | None = None,
    kind: str = "invalid_request_error",
) -> dict[str, str | None]:
    """What stands under `error` in an answer that refuses; the SDK calls it the error's `body`."""
    return {"message": message, "type": kind, "param": param, "code": code}

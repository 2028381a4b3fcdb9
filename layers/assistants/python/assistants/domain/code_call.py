"""The code in the arguments of a call of the code interpreter, in any form that models write."""

import json
import re

from assistants.domain.hosted_tools.code_interpreter import CODE_INTERPRETER

_NAME = CODE_INTERPRETER.argument
# Broken JSON. Any other text that is not JSON counts as bare code.
_BROKEN = re.compile(rf'\s*\{{\s*"{_NAME}"\s*:')
_HOW = f'Call the tool with {{"{_NAME}": "<Python source>"}}.'


class NoCodeError(Exception):
    """Raised when a call holds no code; the message is for the model."""


def code_in(arguments: str, *, max_bytes: int) -> str:
    """Return the code of `{"code": "…"}`, or bare code. Raises `NoCodeError`."""
    code = _code(arguments)
    if not code.strip():
        raise NoCodeError(f"There was no code. {_HOW}")
    try:
        size = len(code.encode())
    except UnicodeEncodeError as error:
        raise NoCodeError("The code is not valid Unicode.") from error
    if size > max_bytes:
        raise NoCodeError(f"The code has {size:,} bytes, and at most {max_bytes:,} are taken.")
    return code


def is_bare(arguments: str) -> bool:
    """Return whether the arguments are bare code, which the step does not show as it is written."""
    return not arguments.lstrip().startswith("{")


def _code(arguments: str) -> str:
    try:
        read = json.loads(arguments, strict=False)
    except (ValueError, RecursionError):
        if _BROKEN.match(arguments):
            raise NoCodeError(f"The arguments are not valid JSON. {_HOW}") from None
        return arguments
    if isinstance(read, dict):
        code = read.get(_NAME)
        if not isinstance(code, str):
            raise NoCodeError(f"There was no code. {_HOW}")
        return code
    return read if isinstance(read, str) else arguments

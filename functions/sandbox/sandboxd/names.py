"""The file names that may enter or leave the sandbox."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

MAX_DEPTH = 16
_MAX_PART_BYTES = 255


class InvalidNameError(ValueError):
    """Raised when a name is not that of a file below the data directory."""


def parts(name: str) -> tuple[str, ...]:
    """Return the checked components of a relative name. Raises InvalidNameError.

    Every character must be printable: no control character, no bidirectional override.
    """
    components = tuple(name.split("/"))
    if len(components) > MAX_DEPTH:
        raise InvalidNameError("the name is too deep")
    for component in components:
        _check(component)
    return components


def _check(component: str) -> None:
    if component in ("", ".", ".."):
        raise InvalidNameError("the name has an empty, '.' or '..' component")
    if not component.isprintable():
        raise InvalidNameError("the name has a character that cannot be printed")
    if len(component.encode()) > _MAX_PART_BYTES:
        raise InvalidNameError("the name is too long")


def from_url(quoted: str) -> tuple[str, ...]:
    """Return the checked components of a percent-encoded name. Raises InvalidNameError."""
    try:
        name = unquote_to_bytes(quoted).decode()
    except UnicodeDecodeError as error:
        raise InvalidNameError("the name is not UTF-8") from error
    return parts(name)


def is_valid(name: str) -> bool:
    """Return whether a name found on disk can be reported."""
    try:
        parts(name)
    except InvalidNameError:
        return False
    return True

"""Attributes: key-value pairs of a file in a vector store, and their order-preserving tokens."""

import struct
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

Kind = Literal["string", "number", "boolean"]
EXACT = 2**53  # above it a double cannot distinguish two neighbouring integers


def _exact(value: str | bool | int | float) -> str | bool | int | float:
    if isinstance(value, int) and abs(value) > EXACT:
        raise ValueError("integers beyond 2**53 are not exact in JSON: use a string")
    return value


AttributeKey = Annotated[str, StringConstraints(max_length=64)]
AttributeValue = Annotated[
    Annotated[str, StringConstraints(max_length=512)]
    | bool
    | int
    | Annotated[float, Field(allow_inf_nan=False)],
    AfterValidator(_exact),
]
Attributes = Annotated[dict[AttributeKey, AttributeValue], Field(max_length=16)]


def kind_of(value: str | bool | float) -> Kind:
    """Return the kind of a value. Values of different kinds never compare: `true` is not 1."""
    if isinstance(value, bool):
        return "boolean"
    return "string" if isinstance(value, str) else "number"


def token(key: str, value: str | bool | float) -> str:
    """Return a pair as one string, so that an index needs one field for all pairs of all files.

    Two pairs have the same token if and only if they are equal. The tokens of one key and kind
    sort by code point, and so by UTF-8 byte, as their values do. The key's length comes first, so
    that no key or value can be crafted into another pair's token.
    """
    return prefix(key, kind_of(value)) + _sortable(value)


def prefix(key: str, kind: Kind) -> str:
    """Return the prefix of all tokens of this key and kind, and of no others."""
    return f"{len(key)}:{key}:{kind}:"


def prefix_end(key: str, kind: Kind) -> str:
    """Return the smallest string above every token of this key and kind."""
    return f"{len(key)}:{key}:{kind};"


def _sortable(value: str | bool | float) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    (bits,) = struct.unpack(">Q", struct.pack(">d", value + 0.0))  # -0.0 + 0.0 is 0.0
    # Order of doubles as integers: flip all bits of the negative, the sign of the others.
    return f"{bits ^ (2**64 - 1 if bits >> 63 else 2**63):016x}"

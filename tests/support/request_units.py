"""The request units that DynamoDB would bill for the calls that pass the local stack.

Computed from each real request and the sizes of the items that it reads or writes, by the rules of
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html and
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html.
"""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from math import ceil
from typing import Any

from infra.local import LocalStack
from infra.local.recorder import AwsCall

WRITE_BYTES, READ_BYTES = 1024, 4096
INDEX = ("due_pk", "due_at")
Item = Mapping[str, Mapping[str, Any]]


class UnitMeter:
    """Adds up what the functions of a stack use, while no other calls are made of it."""

    def __init__(self, stack: LocalStack) -> None:
        self.written = self.read = 0.0
        self._table = stack.client("dynamodb")
        stack.endpoint.around = self._around

    def clear(self) -> None:
        self.written = self.read = 0.0

    @contextmanager
    def _around(self, call: AwsCall, body: bytes) -> Iterator[None]:
        if call.service != "dynamodb" or call.function is None:
            yield
            return
        request = json.loads(body)
        self.written += self._written(call.operation, request)
        yield
        self.read += self._read(call.operation, request)

    def _written(self, operation: str, request: Any) -> float:
        match operation:
            case "TransactWriteItems":
                writes = [write for one in request["TransactItems"] for write in one.items()]
                return sum(self._write(kind, write, 2) for kind, write in writes)
            case "BatchWriteItem":
                return sum(
                    self._write(kind, {**write, "TableName": table}, 1)
                    for table, requests in request["RequestItems"].items()
                    for one in requests
                    for kind, write in one.items()
                )
            case "PutItem" | "DeleteItem":
                return self._write(operation, request, 1)
            case _:
                return 0

    def _write(self, kind: str, request: Any, factor: int) -> float:
        """Count the units of the larger of the old and the new item, and those of the index."""
        new = request.get("Item")
        key = request.get("Key") or {name: new[name] for name in ("pk", "sk")}
        old = self._table.get_item(TableName=request["TableName"], Key=key).get("Item")
        size = max(size_of(item) for item in (old, new) if item) if old or new else 1
        units = factor * ceil(size / WRITE_BYTES)
        return units if kind == "ConditionCheck" else units + _index_writes(old, new)

    def _read(self, operation: str, request: Any) -> float:
        """Count the units of a read, by sending the same request once more."""
        match operation:
            case "GetItem":
                found = [self._table.get_item(**request).get("Item")]
                return _reads(found, consistent=request.get("ConsistentRead", False))
            case "BatchGetItem":
                return sum(
                    self._read("GetItem", {**others, "TableName": table, "Key": key})
                    for table, asked in request["RequestItems"].items()
                    for others in [{"ConsistentRead": asked.get("ConsistentRead", False)}]
                    for key in asked["Keys"]
                )
            case "Query":
                items = self._table.query(**request)["Items"]
                whole = sum(map(size_of, items))
                return _units(whole, consistent=request.get("ConsistentRead", False))
            case _:
                return 0


def _reads(items: Iterable[Item | None], *, consistent: bool) -> float:
    return sum(_units(size_of(item) if item else 0, consistent=consistent) for item in items)


def _units(size: int, *, consistent: bool) -> float:
    return max(1, ceil(size / READ_BYTES)) * (1.0 if consistent else 0.5)


def _index_writes(old: Item | None, new: Item | None) -> int:
    """Count one write for an entry of the index `due` that comes or goes, two for a move."""
    before, after = (
        tuple(json.dumps(item.get(name)) for name in INDEX) if item and INDEX[0] in item else None
        for item in (old, new)
    )
    return 0 if before == after else (before is not None) + (after is not None)


def size_of(item: Item) -> int:
    """Add up the names and values of an item; a number takes half its digits and one byte."""
    return sum(
        len(name) + _size(kind, value)
        for name, attribute in item.items()
        for kind, value in attribute.items()
    )


def _size(kind: str, value: Any) -> int:
    match kind:
        case "S":
            return len(value.encode())
        case "N":
            return ceil(len(value.lstrip("-")) / 2) + 1
        case "B":
            return len(value if isinstance(value, bytes) else base64.b64decode(value))
        case _:
            return 1

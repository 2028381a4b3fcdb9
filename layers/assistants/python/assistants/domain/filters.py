"""Filters on the attributes of a vector store's files: comparisons, and their and/or compounds.

`matches` defines their meaning. An index may evaluate them in another way, with the same result.
"""

import operator
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from assistants.domain.attributes import AttributeKey, AttributeValue, kind_of
from assistants.domain.schema import Part

MAX_DEPTH = 8
MAX_COMPARISONS = 256
MAX_VALUES = 1_000  # in a whole filter: a query sends it to the index twice

_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}

Values = Annotated[list[AttributeValue], Field(min_length=1, max_length=MAX_VALUES)]


class Comparison(Part):
    """Compare an attribute with a value. `ne` and `nin` also match files without the attribute."""

    type: Literal["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin"]
    key: AttributeKey
    value: AttributeValue | Values

    @model_validator(mode="after")
    def _comparable(self) -> "Comparison":
        many = isinstance(self.value, list)
        if many != (self.type in ("in", "nin")):
            raise ValueError(f"'{self.type}' takes {'one value' if many else 'a list of values'}")
        if self.type in _ORDER and isinstance(self.value, bool):
            raise ValueError(f"booleans have no order: '{self.type}' takes a string or a number")
        return self


class Compound(Part):
    """All (`and`) or at least one (`or`) of some filters."""

    type: Literal["and", "or"]
    filters: Annotated[list["AnyFilter"], Field(min_length=1)]


AnyFilter = Annotated[Comparison | Compound, Field(discriminator="type")]
Compound.model_rebuild()


def matches(condition: Comparison | Compound, attributes: Mapping[str, Any]) -> bool:
    """Return whether a file with these attributes passes the filter."""
    if isinstance(condition, Compound):
        outcomes = (matches(inner, attributes) for inner in condition.filters)
        return all(outcomes) if condition.type == "and" else any(outcomes)
    if condition.type in ("ne", "nin"):
        return not _holds("in", condition.value, attributes.get(condition.key))
    return _holds(condition.type, condition.value, attributes.get(condition.key))


def _holds(comparison: str, wanted: Any, found: Any) -> bool:
    """Evaluate a comparison other than `ne` and `nin`. A missing attribute satisfies none."""
    if found is None:
        return False
    choices = wanted if isinstance(wanted, list) else [wanted]
    compare: Callable[[Any, Any], bool] = _ORDER.get(comparison, operator.eq)
    return any(kind_of(found) == kind_of(one) and compare(found, one) for one in choices)


def _within_limits(condition: Comparison | Compound) -> Comparison | Compound:
    depth, level, comparisons, values = 0, [condition], 0, 0
    while level:
        depth += 1
        for one in level:
            if isinstance(one, Comparison):
                comparisons += 1
                values += len(one.value) if isinstance(one.value, list) else 1
        level = [inner for one in level if isinstance(one, Compound) for inner in one.filters]
    if depth > MAX_DEPTH:
        raise ValueError(f"filters may be nested {MAX_DEPTH} deep, not {depth}")
    if comparisons > MAX_COMPARISONS:
        raise ValueError(f"at most {MAX_COMPARISONS} comparisons, not {comparisons}")
    if values > MAX_VALUES:
        raise ValueError(f"at most {MAX_VALUES} values in all, not {values}")
    return condition


Filter = Annotated[AnyFilter, AfterValidator(_within_limits)]

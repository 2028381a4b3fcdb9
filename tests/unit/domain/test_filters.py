"""Every comparison on every kind of value, and the filters that are refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from assistants.domain.attributes import Attributes, prefix, prefix_end, token
from assistants.domain.filters import Filter, matches

FILTER: TypeAdapter[Any] = TypeAdapter(Filter)
ATTRIBUTES: TypeAdapter[dict[str, Any]] = TypeAdapter(Attributes)

# Eight comparisons with the value 5, and what a file passes whose attribute is the given one.
TRUTH = [
    # attribute   eq     ne     gt     gte    lt     lte    in     nin
    (5, [True, False, False, True, False, True, True, False]),
    (5.0, [True, False, False, True, False, True, True, False]),
    (4, [False, True, False, False, True, True, False, True]),
    (6.5, [False, True, True, True, False, False, False, True]),
    (-1e300, [False, True, False, False, True, True, False, True]),
    ("5", [False, True, False, False, False, False, False, True]),
    (True, [False, True, False, False, False, False, False, True]),
    (None, [False, True, False, False, False, False, False, True]),
]
COMPARISONS = ["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin"]


def passes(condition: dict[str, Any], **attributes: Any) -> bool:
    present = {key: value for key, value in attributes.items() if value is not None}
    return matches(FILTER.validate_python(condition), present)


@pytest.mark.parametrize(("attribute", "expected"), TRUTH)
def test_every_comparison_holds_as_in_the_truth_table(attribute: Any, expected: list[bool]) -> None:
    found = []
    for comparison in COMPARISONS:
        value = [5, 7] if comparison in ("in", "nin") else 5
        found.append(passes({"type": comparison, "key": "n", "value": value}, n=attribute))
    assert found == expected


@pytest.mark.parametrize(
    ("comparison", "value", "attribute", "expected"),
    [
        ("eq", True, True, True),
        ("eq", True, 1, False),
        ("eq", 1, True, False),
        ("eq", 0.0, -0.0, True),
        ("gte", -0.0, 0.0, True),
        ("gt", "2024-05-01", "2024-06-01", True),
        ("lt", "é", "z", True),
        ("lt", "\U0001f600", "\uffff", True),
        ("in", ["a", 1, True], True, True),
        ("nin", ["a", 1], "b", True),
        ("eq", "", "", True),
    ],
)
def test_kinds_are_distinct_and_strings_sort_by_code_point(
    comparison: str, value: Any, attribute: Any, expected: bool
) -> None:
    assert passes({"type": comparison, "key": "k", "value": value}, k=attribute) is expected


def test_compounds_nest() -> None:
    condition = {
        "type": "or",
        "filters": [
            {"type": "eq", "key": "author", "value": "ada"},
            {
                "type": "and",
                "filters": [
                    {"type": "gte", "key": "year", "value": 2020},
                    {"type": "ne", "key": "draft", "value": True},
                ],
            },
        ],
    }
    assert passes(condition, author="ada", year=1843)
    assert passes(condition, author="bob", year=2021)
    assert not passes(condition, author="bob", year=2021, draft=True)
    assert not passes(condition, author="bob", year=2019)


MANY = {"type": "in", "key": "k", "value": list(range(501))}


def nested(depth: int) -> dict[str, Any]:
    condition: dict[str, Any] = {"type": "eq", "key": "k", "value": 1}
    for _ in range(depth - 1):
        condition = {"type": "and", "filters": [condition]}
    return condition


def test_a_filter_of_the_greatest_depth_is_taken() -> None:
    assert passes(nested(8), k=1)


@pytest.mark.parametrize(
    ("condition", "complaint"),
    [
        (nested(9), "nested 8 deep"),
        (nested(3_000), "recursion"),
        ({"type": "like", "key": "k", "value": 1}, "eq"),
        ({"type": "eq", "key": "k"}, "Field required"),
        ({"type": "eq", "key": "k", "value": None}, "valid"),
        ({"type": "eq", "key": "k", "value": [1]}, "one value"),
        ({"type": "in", "key": "k", "value": 1}, "a list of values"),
        ({"type": "in", "key": "k", "value": []}, "at least 1"),
        ({"type": "in", "key": "k", "value": list(range(1_001))}, "at most 1000"),
        ({"type": "gt", "key": "k", "value": True}, "booleans have no order"),
        ({"type": "eq", "key": "k" * 65, "value": 1}, "at most 64"),
        ({"type": "eq", "key": "k", "value": "v" * 513}, "at most 512"),
        ({"type": "eq", "key": "k", "value": float("nan")}, "finite"),
        ({"type": "eq", "key": "k", "value": 2**53 + 1}, "use a string"),
        ({"type": "eq", "key": "k", "value": 1, "boost": 2}, "Extra inputs"),
        ({"type": "and", "filters": []}, "at least 1"),
        ({"type": "and", "filters": [nested(1)] * 257}, "at most 256"),
        ({"type": "or", "filters": [MANY, MANY]}, "at most 1000 values in all"),
    ],
)
def test_what_cannot_be_honoured_is_refused(condition: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        FILTER.validate_python(condition)


def test_attributes_keep_their_kinds() -> None:
    pairs = {"year": 2024, "score": 0.5, "draft": False, "author": "Ada"}
    kept = ATTRIBUTES.validate_python(pairs)
    assert [(value, type(value)) for value in kept.values()] == [
        (value, type(value)) for value in pairs.values()
    ]
    with pytest.raises(ValidationError, match="at most 16"):
        ATTRIBUTES.validate_python({str(n): n for n in range(17)})


values = (
    st.text(max_size=20)
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
)


@given(key=st.text(max_size=8), other=st.text(max_size=8), left=values, right=values)
def test_tokens_are_equal_and_sorted_as_the_pairs_are(
    key: str, other: str, left: Any, right: Any
) -> None:
    equal = passes({"type": "eq", "key": "k", "value": left}, k=right)
    assert (token(key, left) == token(key, right)) is equal
    if key != other:
        assert token(key, left) != token(other, right)
    if isinstance(left, bool) or isinstance(right, bool):
        return
    for kind in ("string", "number"):
        inside = prefix(key, kind) <= token(key, left) < prefix_end(key, kind)
        assert inside is (isinstance(left, str) is (kind == "string"))
    if isinstance(left, str) is isinstance(right, str):
        assert (token(key, left) < token(key, right)) is (left < right)


def test_a_crafted_key_cannot_pose_as_another_pair() -> None:
    assert token("a", "b:string:c") != token("a:string:b", "c")
    assert token("a", "1") != token("a", 1)

"""The arguments that a model may send for code, and the code that is read from them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistants.domain.code_call import NoCodeError, code_in, is_bare

MAX = 1000


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ('{"code": "print(1)"}', "print(1)"),
        ('{"code": "a\nb"}', "a\nb"),
        ('{"code": "1", "language": "python"}', "1"),
        ('"print(1)"', "print(1)"),
        ("print(1)", "print(1)"),
        ("42", "42"),
        ("[1, 2]", "[1, 2]"),
        ("{x for x in 'ab'}", "{x for x in 'ab'}"),
        ("[" * 100_000, "[" * 100_000),
        ("9" * 5_000, "9" * 5_000),
    ],
)
def test_json_and_bare_code_are_understood(arguments: str, code: str) -> None:
    assert code_in(arguments, max_bytes=1 << 20) == code


@pytest.mark.parametrize(
    "arguments",
    ["", " \n", "{}", '{"code": null}', '{"code": ["1"]}', '{"code": " "}', '{"code": "x', '""'],
)
def test_what_holds_no_code_is_refused_with_a_hint(arguments: str) -> None:
    with pytest.raises(NoCodeError, match="Call the tool with"):
        code_in(arguments, max_bytes=MAX)


def test_code_of_too_many_bytes_is_refused() -> None:
    assert code_in(json.dumps({"code": "é" * 500}), max_bytes=MAX) == "é" * 500
    with pytest.raises(NoCodeError, match="1,002 bytes, and at most 1,000"):
        code_in(json.dumps({"code": "é" * 501}), max_bytes=MAX)


def test_code_that_is_no_unicode_is_refused() -> None:
    with pytest.raises(NoCodeError, match="Unicode"):
        code_in('{"code": "\\ud800"}', max_bytes=MAX)


@given(st.text())
def test_any_text_is_code_or_refused(arguments: str) -> None:
    try:
        code = code_in(arguments, max_bytes=MAX)
    except NoCodeError:
        return
    assert code.strip()
    assert is_bare(arguments) or code != arguments or not arguments.startswith('{"code"')


@given(st.text(st.characters(codec="utf-8"), min_size=1).filter(str.strip))
def test_any_code_survives_json(code: str) -> None:
    assert code_in(json.dumps({"code": code}), max_bytes=1 << 20) == code

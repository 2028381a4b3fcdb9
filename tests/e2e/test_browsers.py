"""Pages of other origins may call the local stack, and read its errors and headers."""

import httpx2
import pytest

from infra.local import LocalStack

ORIGIN = "http://localhost:5173"


@pytest.mark.parametrize("path", ["/assistants", "/threads/thread_1/runs"])
def test_a_preflight_is_answered_without_a_key(stack: LocalStack, path: str) -> None:
    headers = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,openai-beta",
    }
    answer = httpx2.options(stack.base_url + path, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] in ("*", ORIGIN)
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "openai-beta" in answer.headers["access-control-allow-headers"].lower()


@pytest.mark.parametrize("path", ["/models", "/assistants", "/no/such/path", "/threads/x/y/z"])
def test_an_answer_can_be_read_whatever_it_is(stack: LocalStack, path: str) -> None:
    headers = {"Origin": ORIGIN, "Authorization": "Bearer sk-browser"}
    answer = httpx2.get(stack.base_url + path, headers=headers)
    assert answer.headers["access-control-allow-origin"] in ("*", ORIGIN)

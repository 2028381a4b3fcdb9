"""Issued keys: `assistants keys` against a stack that accepts no others, which is AWS's default."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import openai
import pytest
from openai import OpenAI

from infra.local import LocalStack

ASSISTANTS = Path(sys.executable).with_name("assistants")
Keys = Callable[..., list[str]]


@pytest.fixture(scope="module")
def strict_stack() -> Iterator[LocalStack]:
    with LocalStack(parameters={"Auth": "keys"}) as stack:
        yield stack


@pytest.fixture(scope="module")
def keys(strict_stack: LocalStack) -> Keys:
    """`assistants keys …` with the environment of an operator; the lines it prints."""
    credentials = {
        "AWS_ENDPOINT_URL": strict_stack.endpoint_url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "operator",
        "AWS_SECRET_ACCESS_KEY": "none",
    }

    def run(*arguments: str) -> list[str]:
        ended = subprocess.run(
            [ASSISTANTS, "keys", *arguments],
            env={**os.environ, **credentials},
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.splitlines()

    return run


@pytest.fixture
def use(strict_stack: LocalStack) -> Callable[[str], OpenAI]:
    return lambda key: OpenAI(base_url=strict_stack.base_url, api_key=key, max_retries=0)


def test_an_issued_key_opens_its_project_and_no_other(
    keys: Keys, use: Callable[[str], OpenAI]
) -> None:
    first, second = (keys("create", "--project", "acme", "--name", name)[-1] for name in "ab")
    stranger = keys("create", "--project", "other")[-1]
    made = use(first).beta.assistants.create(model="demo")
    assert use(second).beta.assistants.retrieve(made.id).id == made.id
    with pytest.raises(openai.NotFoundError):
        use(stranger).beta.assistants.retrieve(made.id)
    assert [line.split()[1] for line in keys("list", "--project", "other")] == ["other"]
    assert len(keys("list", "--project", "acme")) == 2


def test_a_key_that_was_never_issued_is_refused(use: Callable[[str], OpenAI]) -> None:
    with pytest.raises(openai.AuthenticationError) as refused:
        use("sk-0123456789abcdef").beta.assistants.list()
    assert refused.value.code == "invalid_api_key"
    assert str(refused.value.body).count("Incorrect API key provided: sk-") == 1
    assert "0123456789abcdef" not in str(refused.value)


def test_a_revoked_key_is_refused(keys: Keys, use: Callable[[str], OpenAI]) -> None:
    issued, secret = keys("create", "--project", "brief")
    key_id = issued.split()[0]
    keys("revoke", key_id, "--project", "brief")
    with pytest.raises(openai.AuthenticationError):
        use(secret).beta.assistants.list()
    assert keys("list", "--project", "brief") == []

"""`assistants reindex` fills a search index that was lost, as an operator of AWS would do it."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from openai import OpenAI

from infra.local import LocalStack, search
from tests.e2e.manuals import Manuals, ask, check_citations

ASSISTANTS = Path(sys.executable).with_name("assistants")
CAT = "What is the cat of the lighthouse keeper called?"
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture(scope="module")
def own_stack() -> Iterator[LocalStack]:
    """A stack whose index may be lost without harm to other tests."""
    with LocalStack() as stack:
        yield stack


@pytest.fixture
def manuals(own_stack: LocalStack) -> Iterator[Manuals]:
    key = f"sk-{uuid4().hex}"
    with OpenAI(base_url=own_stack.base_url, api_key=key, max_retries=0, timeout=60) as client:
        manuals = Manuals.of(client)
        yield manuals
        manuals.close()


@pytest.fixture
def start(own_stack: LocalStack) -> Start:
    """Starts the command with the environment of an operator."""
    credentials = {
        "AWS_ENDPOINT_URL": own_stack.endpoint_url,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "operator",
        "AWS_SECRET_ACCESS_KEY": "none",
    }

    def start(*arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [ASSISTANTS, *arguments],
            env={**os.environ, **credentials},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def lose_index(stack: LocalStack) -> None:
    """Delete the index file; functions that have it open start again."""
    path = Path(search.endpoints[stack.account].removeprefix("sqlite:"))
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()
    for name in stack.functions:
        stack.functions[name].restart()


def new_queue(stack: LocalStack) -> str:
    sqs = boto3.client(
        "sqs",
        endpoint_url=stack.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="operator",
        aws_secret_access_key="none",
    )
    return str(sqs.create_queue(QueueName="idle")["QueueUrl"])


def cited(manuals: Manuals) -> Any:
    answer = ask(manuals, "demo", CAT)
    names = check_citations(manuals, answer)
    return answer.text.value, names


def test_a_lost_index_is_filled_again_and_cites_the_same(
    own_stack: LocalStack, manuals: Manuals, start: Start
) -> None:
    before, found = cited(manuals), manuals.search(CAT)
    lose_index(own_stack)
    assert manuals.search(CAT) == []
    output, progress = (process := start("reindex")).communicate()
    assert process.returncode == 0, progress
    assert output == "3 files are indexed, 0 failed.\n"
    assert progress.splitlines()[-1] == "100% 3 of 3 files, 0 failed"
    assert manuals.search(CAT) == found
    assert cited(manuals) == before


def test_an_interrupted_command_says_how_to_continue(
    own_stack: LocalStack, manuals: Manuals, start: Start
) -> None:
    """Here because nobody works through the queue that it is given."""
    lose_index(own_stack)
    process = start("--index-queue", new_queue(own_stack), "reindex")
    assert process.stderr
    assert process.stderr.readline() == "  0% 0 of 3 files, 0 failed\n"
    process.send_signal(signal.SIGINT)
    _, progress = process.communicate()
    assert process.returncode == 130
    command = progress.splitlines()[-1].partition("To continue: assistants reindex ")[2]
    assert command.startswith("--before ")
    _, progress = (process := start("reindex", *command.split())).communicate()
    assert process.returncode == 0, progress
    assert manuals.search(CAT)[0] == "lighthouse.html"
    again = start("reindex", *command.split())
    assert again.communicate()[0] == "0 files are indexed, 0 failed.\n"


def test_another_project_has_nothing_to_index(manuals: Manuals, start: Start) -> None:
    assert manuals.search(CAT)
    output, _ = start("reindex", "--project", "elsewhere").communicate()
    assert output == "0 files are indexed, 0 failed.\n"

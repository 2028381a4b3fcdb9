"""A new account's ten concurrent functions suffice for what a user does with the default stack."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from infra.local import LocalStack
from tests.support.model_server import ModelServer
from tests.support.workload import CODE, SEARCH, Workload

TEN = 10


@pytest.fixture
def new_account(model_server: ModelServer) -> Iterator[LocalStack]:
    parameters = {"ModelUrl": model_server.url, "Models": "{}", "Auth": "open"}
    with LocalStack(parameters, concurrency=TEN) as stack:
        yield stack


def test_ten_functions_serve_a_run_with_both_tools_and_an_upload(
    new_account: LocalStack, model_server: ModelServer
) -> None:
    """At the same time, while `expire` runs; the clients try nothing again."""
    work = Workload(new_account.base_url, model_server)
    (expire,) = new_account.schedules.rules
    with ThreadPoolExecutor() as users:
        upload = users.submit(work.upload)
        run = users.submit(work.stream, SEARCH, CODE)
        new_account.schedules.fire(expire)
        upload.result()
        run.result()
    assert new_account.functions.concurrency.peak.total() <= TEN


def test_more_work_than_ten_functions_can_do_at_once_is_done_one_after_the_other(
    new_account: LocalStack, model_server: ModelServer
) -> None:
    """Runs and files wait for each other; only requests are refused, which clients try again."""
    works = [Workload(new_account.base_url, model_server, f"sk-{n}") for n in range(2)]
    with ThreadPoolExecutor() as users:
        runs = [users.submit(work.stream, SEARCH, CODE) for work in works]
        for run in runs:
            run.result()
    assert new_account.functions.concurrency.peak.total() <= TEN

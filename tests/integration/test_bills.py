"""The cost of a run on AWS, in the units that are billed."""

from collections.abc import Iterator

import pytest

from infra.local import LocalStack
from tests.support.bills import Biller
from tests.support.call_counter import CallCounter
from tests.support.model_server import ModelServer, Text
from tests.support.request_units import Item, size_of


@pytest.fixture
def biller(stack: LocalStack) -> Iterator[Biller]:
    undisturbed = stack.endpoint.around
    yield Biller(stack)
    stack.endpoint.around = undisturbed


def test_a_plain_run_uses_as_little_as_it_did(
    stack: LocalStack, model_server: ModelServer, biller: Biller
) -> None:
    counter = CallCounter(stack, model_server)
    thread_id, assistant_id = counter.thread(), counter.assistant(Text("Hi"))
    bill = biller.bill(
        lambda: counter.beta.threads.runs.create(thread_id, assistant_id=assistant_id)
    )
    assert (bill.written, bill.read, bill.transitions) == (28, 6, 3)
    assert (bill.http_requests, bill.invocations) == (1, 2)
    assert 0 < bill.gb_seconds < 60
    assert bill.dollars["Step Functions"] == 0.075
    assert bill.dollars["all"] == pytest.approx(sum(list(bill.dollars.values())[:-1]))


def test_the_size_of_an_item_is_that_of_its_names_and_values() -> None:
    item: Item = {"pk": {"S": "é"}, "n": {"N": "-1234"}, "b": {"B": "AAEC"}, "t": {"BOOL": True}}
    assert size_of(item) == (2 + 2) + (1 + 3) + (1 + 3) + (1 + 1)

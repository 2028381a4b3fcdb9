"""When deltas are flushed, and when the journal is checked."""

import itertools
import threading
from collections.abc import Iterator

import pytest

from assistants.ports.chat_model import Delta, ModelError, TextDelta
from assistants.services.turns.flush_timer import (
    CHECK_SECONDS,
    UNWATCHED_SECONDS,
    WATCHED_SECONDS,
    Tick,
    flush_ticks,
)
from tests.support.fakes import FakeClock


def texts(*values: str) -> Iterator[Delta]:
    return iter([TextDelta(value) for value in values])


def test_every_delta_comes_once_and_in_order() -> None:
    values = [str(number) for number in range(500)]
    ticks = flush_ticks(texts(*values), watched=True, clock=FakeClock(step=0.01))
    streamed = [tick.delta.value for tick in ticks if isinstance(tick.delta, TextDelta)]
    assert streamed == values


def test_the_first_delta_of_a_watched_run_is_written_at_once() -> None:
    first, *_ = flush_ticks(texts("a", "b"), watched=True, clock=FakeClock())
    assert (first.delta, first.flush) == (TextDelta("a"), True)


def test_the_first_delta_of_an_unwatched_run_waits() -> None:
    ticks = list(flush_ticks(texts("a", "b"), watched=False, clock=FakeClock()))
    assert [tick.flush for tick in ticks] == [False, False]


@pytest.mark.parametrize(
    ("watched", "period"), [(True, WATCHED_SECONDS), (False, UNWATCHED_SECONDS)]
)
def test_writes_are_a_period_apart(watched: bool, period: float) -> None:
    clock = FakeClock(step=period / 10)
    ticks = flush_ticks(texts(*("x" * 300)), watched=watched, clock=clock)
    written = [clock.now for tick in ticks if tick.flush]
    gaps = [later - earlier for earlier, later in itertools.pairwise(written)]
    assert len(gaps) > 20
    assert all(period <= gap < 1.5 * period for gap in gaps)


def test_what_is_unwritten_when_the_model_falls_silent_is_written_without_it() -> None:
    silence = threading.Event()

    def spoken() -> Iterator[Delta]:
        yield TextDelta("a")
        silence.wait(5)

    clock = FakeClock()
    ticks = flush_ticks(spoken(), watched=False, clock=clock)
    assert not next(ticks).flush
    clock.now += UNWATCHED_SECONDS
    tick = next(ticks)
    silence.set()
    assert (tick.delta, tick.flush) == (None, True)


def test_the_journal_is_looked_at_once_a_second_of_silence() -> None:
    silence = threading.Event()

    def silent() -> Iterator[Delta]:
        yield TextDelta("a")
        silence.wait(5)

    clock = FakeClock()
    ticks = flush_ticks(silent(), watched=True, clock=clock)
    next(ticks)
    looks = []
    for _ in range(3):
        clock.now += CHECK_SECONDS
        looks.append(next(ticks))
    silence.set()
    assert looks == [Tick(None, flush=False, check=True)] * 3


@pytest.mark.parametrize(
    "error",
    [ModelError("server_error", "No."), ValueError("bug"), EOFError("gzip"), StopIteration()],
)
def test_an_error_of_the_model_is_raised_after_its_deltas(error: Exception) -> None:
    class Broken:
        def __init__(self) -> None:
            self.left = [TextDelta("a")]

        def __iter__(self) -> Iterator[Delta]:
            return self

        def __next__(self) -> Delta:
            if self.left:
                return self.left.pop()
            raise error

    ticks = flush_ticks(Broken(), watched=True, clock=FakeClock())
    assert next(ticks).delta == TextDelta("a")
    if isinstance(error, StopIteration):
        assert list(ticks) == []
    else:
        with pytest.raises(type(error)) as caught:
            next(ticks)
        assert caught.value is error


def test_whoever_stops_listening_stops_the_reading() -> None:
    closed = threading.Event()
    more = threading.Event()

    def endless() -> Iterator[Delta]:
        try:
            while True:
                yield TextDelta("a")
                more.wait(0.001)
        finally:
            closed.set()

    ticks = flush_ticks(endless(), watched=True, clock=FakeClock())
    next(ticks)
    del ticks
    assert closed.wait(5)

"""A minute of `make soak`, in seconds."""

from tests.engine.harness import Harness
from tests.engine.soak import KINDS, soak

RUNS = 60


def test_every_run_of_every_kind_passes_its_audit(harness: Harness) -> None:
    harness.faults.plan("none")
    ended = soak(harness.stack, harness.models, RUNS)
    assert sum(sum(statuses.values()) for statuses in ended.values()) == RUNS
    assert len(ended) == len(KINDS)

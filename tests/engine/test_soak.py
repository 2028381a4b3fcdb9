"""A minute of `make soak`, in seconds."""

from tests.engine.scenario import Stage
from tests.engine.soak import KINDS, soak

RUNS = 60


def test_every_run_of_every_kind_is_accounted_for(stage: Stage) -> None:
    stage.deaths.plan("none")
    ended = soak(stage.stack, stage.models, RUNS)
    assert sum(sum(statuses.values()) for statuses in ended.values()) == RUNS
    assert len(ended) == len(KINDS)

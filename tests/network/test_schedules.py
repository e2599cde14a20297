"""Schedules: the share of the learning rate over the epochs."""

import pytest

from network import Cosine, StepDecay, WarmUp
from network.factory import SCHEDULES, make_optimizer, make_schedule


def test_step_decay_drops_after_every_so_many_epochs():
    schedule = StepDecay(0.5, every=2)

    assert [schedule(epoch, 9) for epoch in (0, 1.9, 2, 4.5)] == [1, 1, 0.5, 0.25]


def test_cosine_falls_from_one_to_its_floor():
    schedule = Cosine(floor=0.2)

    assert schedule(0, 10) == 1
    assert schedule(5, 10) == pytest.approx(0.6)
    assert schedule(10, 10) == pytest.approx(0.2)


def test_warm_up_rises_and_then_follows_the_other():
    schedule = WarmUp(2, StepDecay(0.5, every=4))

    assert schedule(0, 9) == pytest.approx(0.01)
    assert schedule(1, 9) == pytest.approx(0.505)
    assert schedule(3, 9) == 1
    assert schedule(4, 9) == 0.5


@pytest.mark.parametrize("epochs", [1, 2, 30])
@pytest.mark.parametrize("name", list(SCHEDULES))
def test_every_named_schedule_stays_between_nothing_and_all(name, epochs):
    schedule = make_schedule(name, epochs)

    if schedule is not None:
        assert all(0 <= schedule(epochs * k / 50, epochs) <= 1 for k in range(51))


def test_unknown_names_are_answered_with_those_that_there_are():
    with pytest.raises(ValueError, match="'adamax': expected sgd, momentum"):
        make_optimizer("adamax")
    with pytest.raises(ValueError, match="'cosin': expected constant, step"):
        make_schedule("cosin", 3)


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (StepDecay, {"factor": 0}),
        (StepDecay, {"every": 0}),
        (Cosine, {"floor": 2}),
        (WarmUp, {"length": 0}),
    ],
)
def test_a_schedule_refuses_what_cannot_work(make, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        make(**options)

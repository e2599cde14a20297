"""Optimisers: right ones pass in every calling convention, planted faults are refused."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.properties import Status, run_properties, suite


class Momentum:
    """Lists, changed in place."""

    def __init__(self, rate=0.1, momentum=0.9):
        self.rate, self.momentum, self.velocity = rate, momentum, {}

    def step(self, params, grads):
        for i, (p, g) in enumerate(zip(params, grads, strict=True)):
            self.velocity[i] = self.momentum * self.velocity.get(i, 0) - self.rate * g
            p += self.velocity[i]


class Adam:
    """Dicts, returned."""

    def __init__(self, rate=0.01):
        self.rate, self.m, self.v, self.t = rate, {}, {}, 0

    def update(self, params, grads):
        self.t += 1
        for key, g in grads.items():
            self.m[key] = 0.9 * self.m.get(key, 0) + 0.1 * g
            self.v[key] = 0.999 * self.v.get(key, 0) + 0.001 * g**2
            mean, square = self.m[key] / (1 - 0.9**self.t), self.v[key] / (1 - 0.999**self.t)
            params[key] = params[key] - self.rate * mean / (np.sqrt(square) + 1e-8)
        return params


def descent(p, g):
    return p - 0.01 * g


@pytest.mark.parametrize(
    "fn", [Momentum, Momentum(), Adam, descent], ids=["class", "object", "adam", "function"]
)
def test_right_optimizer_passes(fn):
    report = run_properties("optimizer", fn, examples=25)

    assert report.ok, str(report)


def ascent(p, g):
    return p + 0.01 * g


def without_guard(p, g):
    return p - 0.01 * g / np.sqrt(g**2)


def far_too_fast(p, g):
    return p - 5 * g


def norm_of_all(p, g):
    return p - 0.01 * g / (np.linalg.norm(g) + 1e-8)


def never_upwards(p, g):
    return p - 0.01 * np.maximum(g, 0) - 0.02 * np.minimum(g, 0)


def halves_gradient(p, g):
    g *= 0.5
    return p - 0.01 * g


def widened(p, g):
    return p - np.float64(0.01) * g.astype(np.float64)


class OneVelocity(Momentum):
    def step(self, params, grads):
        for p, g in zip(params, grads, strict=True):
            before = self.velocity.get(0, 0)
            before = before if np.shape(before) == p.shape else np.sum(before)
            self.velocity[0] = self.momentum * before - self.rate * g
            p += self.velocity[0]


class ByPosition:
    """Momentum on dicts, whose velocities go by position."""

    def __init__(self):
        self.velocity = {}

    def step(self, params, grads):
        for i, name in enumerate(params):
            old = self.velocity.get(i, 0.0)
            old = old if np.shape(old) == params[name].shape else 0.0
            self.velocity[i] = 0.9 * old - 0.01 * grads[name]
            params[name] = params[name] + self.velocity[i]


class FirstIsFaster(Momentum):
    def step(self, params, grads):
        for i, (p, g) in enumerate(zip(params, grads, strict=True)):
            p -= self.rate / (1 + i) * g


class Stalling(Momentum):
    def step(self, params, grads):
        self.rate = -self.rate
        for p, g in zip(params, grads, strict=True):
            p += self.rate * g


class SharedState(Momentum):
    shared: dict[int, object] = {}  # noqa: RUF012 (the fault)

    def __init__(self):
        super().__init__()
        self.velocity = None

    def step(self, params, grads):
        self.velocity = type(self).shared
        for i, (p, g) in enumerate(zip(params, grads, strict=True)):
            old = self.velocity.get(i, 0)
            old = old if np.shape(old) == p.shape else 0
            self.velocity[i] = 0.9 * old - 0.1 * g
            p += self.velocity[i]


FAULTS = {
    ascent: {"first_step_goes_against_gradient", "descends_a_bowl"},
    without_guard: {"zero_gradient_stays_put"},
    far_too_fast: {"descends_a_bowl"},
    norm_of_all: {"each_entry_as_if_alone"},
    never_upwards: {"mirror_image_moves_mirrored"},
    halves_gradient: {"gradients_unchanged"},
    widened: {"shape_and_dtype_kept"},
    OneVelocity: {"each_tensor_as_if_alone"},
    ByPosition: {"tensor_order_irrelevant"},
    FirstIsFaster: {"tensor_order_irrelevant"},
    Stalling: {"constant_gradient_keeps_moving"},
    SharedState: {"fresh_start_repeats"},
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_fault_is_refused_by_its_properties(fault):
    report = run_properties("optimizer", fault, examples=40, only=FAULTS[fault])

    assert {r.status for r in report.results} == {Status.FAILED}, str(report)


def test_every_property_refuses_some_fault():
    assert set(suite("optimizer").names) == set().union(*FAULTS.values())


def test_optimizer_that_moves_nothing_is_told_what_was_tried():
    with pytest.raises(TypeError, match="moves no parameter when called as step or update"):
        run_properties("optimizer", lambda p, g: p)

"""Every promise holds for a right layer and fails for one that breaks it."""

import warnings

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict
from tests.support import user_layers as s

X = np.random.default_rng(0).normal(size=(5, 4))


class InputMutating(s.ReLU):
    def forward(self, x):
        self.mask = x > 0
        x *= self.mask
        return x


class CotangentMutating(s.ReLU):
    def backward(self, d):
        d *= self.mask
        return d


class ParameterMutating(s.Dense):
    def backward(self, d):
        dx = super().backward(d)
        self.b -= 0.1 * self.db
        return dx


class StaleCache(s.ReLU):
    def forward(self, x):
        if not hasattr(self, "mask"):
            self.mask = x > 0
        return np.maximum(x, 0)


class Clipping(s.Dense):
    def backward(self, d):
        return super().backward(np.clip(d, -0.6, 0.6))


class IgnoringUpstream(s.ReLU):
    def backward(self, d):
        return self.mask * 1.0


class AliasingSum:
    def forward(self, x):
        return x + 1

    def backward(self, d):
        return d


class Averaging:
    """Couples its samples, as batch-norm does."""

    def forward(self, x):
        return x - x.mean(axis=0)

    def backward(self, d):
        return d - d.mean(axis=0)


class SinglePrecisionGradient(s.ReLU):
    def backward(self, d):
        return (d * self.mask).astype(np.float32)


class DividingBySpread:
    def forward(self, x):
        self.x = x
        if len(x) < 2:
            raise ZeroDivisionError("one sample has no spread")
        return x / (x.max() - x.min())

    def backward(self, d):
        spread = self.x.max() - self.x.min()
        dx = d / spread
        inner = np.sum(d * self.x) / spread**2
        dx[np.unravel_index(self.x.argmax(), self.x.shape)] -= inner
        dx[np.unravel_index(self.x.argmin(), self.x.shape)] += inner
        return dx


@pytest.mark.parametrize(
    ("layer", "promise", "code"),
    [
        (
            s.Dropout(lambda shape: np.random.default_rng().random(shape)),
            "reproducible",
            "nondeterministic_forward",
        ),
        (InputMutating(), "input_not_mutated", "input_mutated"),
        (CotangentMutating(), "cotangent_not_mutated", "cotangent_mutated"),
        (ParameterMutating(4, 3), "parameters_not_mutated", "parameters_mutated"),
        (s.Dense(4, 4, "broadcast_not_reduced"), "shapes", "broadcast_not_reduced"),
        (s.Dense(4, 3, "not_finite"), "finite", "not_finite"),
        (StaleCache(), "fresh_cache", "stale_cache"),
        (Clipping(4, 3), "backward_linear", "gradient_clipped"),
        (IgnoringUpstream(), "backward_linear", "upstream_ignored"),
    ],
)
def test_a_broken_promise_fails_under_its_code(layer, promise, code):
    report = gradcheck.check(layer, X)

    assert report.contract[promise].verdict is Verdict.FAIL
    assert report.contract[promise].measurement
    assert code in [explanation.code for explanation in report.explanations]
    assert not report.ok


@pytest.mark.parametrize(
    ("layer", "promise"),
    [
        (s.Dropout(lambda shape: np.random.random_sample(shape)), "deterministic"),  # noqa: NPY002
        (Averaging(), "batch_independent"),
        (AliasingSum(), "gradients_not_aliased"),
        (SinglePrecisionGradient(), "dtypes"),
        (DividingBySpread(), "single_sample"),
    ],
)
def test_a_fact_is_reported_and_fails_only_where_it_is_required(layer, promise):
    reported = gradcheck.check(layer, X).contract[promise]
    required = gradcheck.check(layer, X, contract={promise: "require"})

    assert reported.holds is False
    assert reported.verdict is Verdict.UNDECIDED
    assert required.contract[promise].verdict is Verdict.FAIL
    assert not required.ok


def test_a_right_layer_keeps_every_promise():
    contract = gradcheck.check(s.Dense(4, 3), X).contract

    assert {name: p.holds for name, p in contract.items() if not p.holds} == {}


def test_dropout_on_its_own_generator_is_held_fixed():
    generator = np.random.default_rng(5)
    state = generator.bit_generator.state

    class OwnGenerator(s.Dropout):
        def __init__(self):
            self.generator = generator
            super().__init__(None)

        def forward(self, x):
            self.mask = self.generator.random(x.shape) < 0.7
            return x * self.mask

    report = gradcheck.check(OwnGenerator(), X)

    assert report.ok, str(report)
    assert generator.bit_generator.state == state


def test_gradients_of_an_unseeded_dropout_are_judged_at_a_fixed_mask():
    layer = s.Dropout(lambda shape: np.random.random_sample(shape))  # noqa: NPY002

    report = gradcheck.check(layer, X)

    assert report.ok
    assert report.contract["deterministic"].holds is False


def test_trying_an_empty_batch_warns_nobody():
    class Centred:
        def forward(self, x):
            return x - x.mean(axis=0)

        def backward(self, g):
            return g - g.mean(axis=0)

    x = np.random.default_rng(0).normal(size=(4, 3))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert gradcheck.check(Centred(), x).ok

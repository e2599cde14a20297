"""Layers: right ones pass, planted faults are refused by their properties."""

from __future__ import annotations

import numpy as np
import pytest

from gradcheck.properties import Status, run_properties, suite

BATCH = np.ones((2, 3))


class Dense:
    def __init__(self):
        rng = np.random.default_rng(0)
        self.W, self.b = rng.normal(size=(3, 2)), np.zeros(2)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, g):
        self.dW, self.db = self.x.T @ g, g.sum(axis=0)
        return g @ self.W.T


class ReLU:
    def forward(self, x):
        self.positive = x > 0
        return np.where(self.positive, x, 0)

    def backward(self, g):
        return g * self.positive


class Centre:
    """Subtracts the mean of the batch, as batch normalisation does by right."""

    def forward(self, x):
        return x - x.mean(axis=0)

    def backward(self, g):
        return g - g.mean(axis=0)


def affine_forward(x, w, b):
    return x @ w + b, (x, w)


def affine_backward(g, cache):
    x, w = cache
    return g @ w.T, x.T @ g, g.sum(axis=0)


RIGHT = {
    "dense": (Dense(), {"x": BATCH}),
    "relu": (ReLU(), {"x": BATCH}),
    "centre": (Centre(), {"x": BATCH, "rowwise": False}),
    "pair": ((affine_forward, affine_backward), {"x": (BATCH, np.ones((3, 2)), np.ones(2))}),
    "wide": (ReLU(), {"x": np.ones((2, 200))}),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_layer_passes(name):
    fn, options = RIGHT[name]

    report = run_properties("layer", fn, examples=15, **options)

    assert report.ok, str(report)


class Noisy(Dense):
    def __init__(self):
        super().__init__()
        self.calls = [0]
        self.noise = iter(range(10**9))

    def forward(self, x):
        return super().forward(x) + 1e-3 * next(self.noise)


class Overflowing(Dense):
    def forward(self, x):
        return super().forward(x) + np.log(np.abs(x).max())


class Squeezing(Dense):
    def forward(self, x):
        return np.squeeze(super().forward(x), axis=0) if len(x) == 1 else super().forward(x)


class MemoryOrderLost(Dense):
    def forward(self, x):
        return super().forward(x.ravel(order="K").reshape(x.shape))


class CotangentScaled(Dense):
    def backward(self, g):
        g *= 2
        return super().backward(g) / 2


class StepInBackward(Dense):
    def backward(self, g):
        dx = super().backward(g)
        self.W -= 0.1 * self.dW
        return dx


class BiasSummedToScalar(Dense):
    def backward(self, g):
        dx = super().backward(g)
        self.db = g.sum()
        return dx


class Transposed(Dense):
    def backward(self, g):
        super().backward(g)
        return g @ self.W.T[:, ::-1]


class Clipped(Dense):
    def backward(self, g):
        return super().backward(np.clip(g, -1, 1))


class Averaging(Dense):
    def backward(self, g):
        dx = super().backward(g)
        self.dW = self.dW / len(g)
        return dx


class GradientOfMean(Dense):
    def backward(self, g):
        return super().backward(g) + g.mean() * 1e-3


class UnusedBias(Dense):
    def forward(self, x):
        self.x = x
        return x @ self.W


class FirstCache(Dense):
    def forward(self, x):
        y = super().forward(x)
        self.first = getattr(self, "first", x)
        return y

    def backward(self, g):
        self.x = self.first if self.first.shape == self.x.shape else self.x
        return super().backward(g)


class MeanOfSamples(Dense):
    def backward(self, g):
        dx = super().backward(g)
        self.db = g.mean(axis=0) * len(g)
        return dx


class OneRowMore(Dense):
    def forward(self, x):
        return super().forward(x if len(x) else np.zeros((1, 3)))


class CacheUsedUp(Dense):
    def backward(self, g):
        dx = super().backward(g)
        self.x = self.x - 1
        return dx


class Float32Inside(Dense):
    def forward(self, x):
        return super().forward(x).astype(np.float32)


class BufferOfFloat64(Dense):
    def backward(self, g):
        dx = super().backward(g)
        self.dW = np.zeros(self.W.shape) + self.dW
        return dx


class GuardBelowFloat32(Dense):
    """Divides by a norm that is guarded by what float32 rounds to zero."""

    def forward(self, x):
        tiny = x.dtype.type(1e-30)
        return super().forward(x) * (tiny * tiny) / (tiny * tiny)


FAULTS = {
    Noisy: {"same_input_same_output"},
    Overflowing: {"output_finite"},
    Squeezing: {"batch_axis_kept"},
    Centre: {"each_sample_as_if_alone"},
    MemoryOrderLost: {"memory_layout_irrelevant"},
    CotangentScaled: {"arguments_unchanged"},
    StepInBackward: {"arguments_unchanged"},
    BiasSummedToScalar: {"gradients_shaped_like_tensors"},
    Transposed: {"gradients_are_derivatives"},
    Clipped: {"backward_linear"},
    Averaging: {"parameter_gradients_add_up"},
    GradientOfMean: {"input_gradient_of_each_sample_as_if_alone"},
    UnusedBias: {"every_parameter_moves_output"},
    FirstCache: {"backward_answers_for_last_forward"},
    MeanOfSamples: {"empty_batch_stays_empty"},
    OneRowMore: {"empty_batch_stays_empty"},
    CacheUsedUp: {"second_backward_repeats_or_adds"},
    Float32Inside: {"dtype_kept"},
    GuardBelowFloat32: {"float32_as_accurate"},
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_fault_is_refused_by_its_property(fault):
    report = run_properties("layer", fault(), examples=40, only=FAULTS[fault], x=BATCH)

    assert {r.status for r in report.results} <= {Status.FAILED, Status.ERRORED}, str(report)


def test_buffer_of_float64_widens_a_float32_layer_only():
    only = ["dtype_kept"]

    assert run_properties("layer", BufferOfFloat64(), x=BATCH, only=only).ok
    narrow = BufferOfFloat64()
    narrow.W, narrow.b = narrow.W.astype(np.float32), narrow.b.astype(np.float32)
    report = run_properties("layer", narrow, x=BATCH.astype(np.float32), only=only)
    assert "the gradient of W has another dtype" in report["dtype_kept"].message


def float32(layer):
    layer.W, layer.b = layer.W.astype(np.float32), layer.b.astype(np.float32)
    return layer


@pytest.mark.parametrize("fault", [None, Transposed, Averaging, BiasSummedToScalar])
def test_layer_in_float32_is_judged_in_its_own_precision(fault):
    x = BATCH.astype(np.float32)
    report = run_properties("layer", float32((fault or Dense)()), examples=15, x=x)

    failed = {r.name for r in report.results if r.status in (Status.FAILED, Status.ERRORED)}
    assert FAULTS.get(fault, set()) <= failed
    assert report.ok == (fault is None), str(report)


class Normalised:
    """Batch normalisation in training: gamma scales zeros in a batch of one."""

    def __init__(self):
        self.gamma, self.beta = np.ones(3), np.zeros(3)

    def forward(self, x):
        self.std = np.sqrt(x.var(axis=0) + 1e-5)
        self.xhat = (x - x.mean(axis=0)) / self.std
        return self.gamma * self.xhat + self.beta

    def backward(self, g):
        self.dgamma, self.dbeta = (g * self.xhat).sum(axis=0), g.sum(axis=0)
        h = g * self.gamma
        return (h - h.mean(axis=0) - self.xhat * (h * self.xhat).mean(axis=0)) / self.std


def test_batch_normalisation_has_all_properties_but_those_of_single_samples():
    report = run_properties("layer", Normalised(), examples=20, x=BATCH, rowwise=False)

    assert report.ok, str(report)
    assert report["every_parameter_moves_output"].status is Status.PASSED
    assert {r.message for r in report.results if r.status is Status.SKIPPED} == {
        "the layer couples samples by right"
    }


class Dropout:
    def __init__(self):
        self.rng = np.random.default_rng(0)

    def forward(self, x):
        self.mask = (self.rng.random(x.shape) > 0.4).astype(x.dtype)
        return x * self.mask

    def backward(self, g):
        return g * self.mask


def test_precision_of_a_dropout_is_left_out_with_the_reason():
    report = run_properties("layer", Dropout(), examples=10, x=BATCH, rowwise=False)

    assert report.ok, str(report)
    assert report["float32_as_accurate"].message == "the layer draws random numbers"


def test_every_property_refuses_some_fault():
    assert set(suite("layer").names) == set().union(*FAULTS.values())


def test_layer_without_an_example_input_is_refused():
    with pytest.raises(TypeError, match="needs an example input"):
        run_properties("layer", Dense())


def test_single_sample_as_example_is_refused():
    with pytest.raises(ValueError, match="samples first"):
        run_properties("layer", Dense(), x=np.ones(3))

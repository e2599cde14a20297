"""Every layer, loss, penalty and optimizer passes the project's own checks, collected by itself."""

import inspect

import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import gradcheck
import network
from gradcheck.hunt import hunt
from gradcheck.properties import run_properties
from tests.support.network_cases import LAYERS, LOSSES, OPTIMIZERS, PENALTIES, batch, named

# The smallest relative error a check has to be able to see: float32 forwards carry 6e-8 each.
FINEST = {np.float64: 1e-8, np.float32: 1e-3}
BOTH_PRECISIONS = pytest.mark.parametrize("dtype", FINEST, ids=["float64", "float32"])
# The suite knows the cross-entropies and the squared error as they are.
BEYOND_THE_SUITE = {"softmax_ce_smoothed", "softmax_ce_weighted", "huber", "hinge"}
EACH_LAYER = pytest.mark.parametrize("make", **named(LAYERS))
EACH_LOSS = pytest.mark.parametrize(("make", "predict", "target"), **named(LOSSES))


def concrete(base):
    """All classes below ``base`` that can be made, however they are imported."""
    for below in base.__subclasses__():
        if below.__module__.startswith("network.") and not inspect.isabstract(below):
            yield below
        yield from concrete(below)


@pytest.mark.parametrize(
    ("base", "table"),
    [
        (network.Layer, LAYERS),
        (network.Loss, LOSSES),
        (network.Penalty, PENALTIES),
        (network.Optimizer, OPTIMIZERS),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_every_part_has_its_entry(base, table):
    parts = {part for part in concrete(base) if not part.__name__.startswith("_")}

    assert parts == set(table)
    assert all(part.__name__ in network.__all__ for part in parts)


def single_batches():
    """Batches of 1 to 5 rows of eighths: ties, zeros, and no result below normal numbers."""
    eighths = st.integers(-32, 32).map(lambda k: np.float32(k / 8))
    return st.integers(1, 5).flatmap(lambda rows: arrays(np.float32, (rows, 3), elements=eighths))


def require_pass(report, dtype):
    assert report.ok, str(report)
    assert all(t.resolution < FINEST[dtype] for t in report.tensors.values()), str(report)
    if dtype is np.float64:
        assert all(t.relative_error < 1e-8 for t in report.tensors.values()), str(report)


@EACH_LAYER
@BOTH_PRECISIONS
def test_every_layer_passes_the_check(make, dtype):
    require_pass(gradcheck.check(make(dtype), batch(dtype)), dtype)


@EACH_LOSS
@BOTH_PRECISIONS
def test_every_loss_passes_the_check(make, predict, target, dtype):
    require_pass(gradcheck.check(make(), predict(dtype), target(dtype)), dtype)


@pytest.mark.parametrize("penalty", PENALTIES.values(), ids=lambda p: type(p).__name__)
@BOTH_PRECISIONS
def test_every_penalty_passes_the_check(penalty, dtype):
    require_pass(gradcheck.check(penalty, batch(dtype)), dtype)


@EACH_LAYER
@BOTH_PRECISIONS
def test_every_layer_has_the_properties_of_a_layer(make, dtype):
    layer = make(dtype)
    couples = isinstance(layer, network.BatchNorm | network.Dropout) and layer.training

    report = run_properties("layer", layer, x=batch(dtype), rowwise=not couples, examples=10)

    assert report.ok, str(report)


@EACH_LOSS
def test_every_loss_has_the_properties_of_a_loss(make, predict, target, request):
    if request.node.callspec.id in BEYOND_THE_SUITE:
        with pytest.raises(ValueError, match="no loss known here"):
            run_properties("loss", make(), examples=1)
    else:
        report = run_properties("loss", make(), examples=10)

        assert report.ok, str(report)


@pytest.mark.parametrize("make", **named(OPTIMIZERS))
def test_every_optimizer_has_the_properties_of_an_optimizer(make):
    report = run_properties("optimizer", make, examples=10)

    assert report.ok, str(report)


@EACH_LAYER
def test_no_hunt_finds_a_wrong_gradient(make):
    report = hunt(make(np.float64), batch(np.float64), examples=10)

    assert report.ok, str(report)


@EACH_LAYER
def test_no_hunt_finds_a_wrong_gradient_in_single_precision(make):
    report = hunt(make(np.float32), single_batches(), examples=10)

    assert report.ok, str(report)


@EACH_LOSS
@BOTH_PRECISIONS
def test_no_hunt_finds_a_wrong_gradient_of_a_loss(make, predict, target, dtype):
    report = hunt(make(), (predict(dtype), target(dtype)), examples=10)

    assert report.ok, str(report)


def test_normalisation_of_two_numbers_loses_nothing_in_single_precision():
    x = np.array([[0, 0, 0], [1, 1, 1]], dtype=np.float32)
    dy = batch(np.float32, rows=2)

    single, double = (network.BatchNorm(3, dtype=dtype) for dtype in (np.float32, np.float64))
    single.forward(x)
    double.forward(x.astype(np.float64))

    # x^2 is 1 up to epsilon: two of the three paths cancel to five digits
    np.testing.assert_allclose(single.backward(dy), double.backward(dy), rtol=1e-6)
    assert single.backward(dy).dtype == np.float32

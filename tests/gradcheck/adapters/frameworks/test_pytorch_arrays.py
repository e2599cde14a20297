"""Arrays go to PyTorch as copies, which last as long as nobody writes to them."""

import numpy as np
import pytest

import gradcheck
from gradcheck.adapters.frameworks.pytorch.arrays import TensorCopies

torch = pytest.importorskip("torch", reason="the extra `integrations` is not installed")
pytestmark = pytest.mark.integration


def read_only(array):
    array.setflags(write=False)
    return array


def test_an_array_that_nobody_can_write_to_is_copied_once():
    copies, array = TensorCopies(), read_only(np.arange(3.0))

    assert copies.of("x", array, "cpu") is copies.of("x", array, "cpu")
    assert copies.of("x", read_only(array + 1), "cpu").tolist() == [1, 2, 3]


def test_a_copy_that_was_written_to_is_made_anew():
    copies, array = TensorCopies(), read_only(np.arange(3.0))
    copies.of("x", array, "cpu")[1:].zero_()

    assert copies.of("x", array, "cpu").tolist() == [0, 1, 2]


def test_an_array_that_may_change_is_copied_each_time():
    copies, array = TensorCopies(), np.arange(3.0)
    first = copies.of("x", array, "cpu")
    array += 1

    assert copies.of("x", array, "cpu").tolist() == [1, 2, 3]
    assert first.tolist() == [0, 1, 2]


class ScalesItsWeights(torch.autograd.Function):
    """Writes to an argument in the forward, which each run must find as it was."""

    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w.clone())
        return x * w.mul_(3)

    @staticmethod
    def backward(ctx, grad):
        x, w = ctx.saved_tensors
        return 3 * grad * w, 3 * grad * x


def test_a_layer_in_low_precision_that_writes_to_its_input_is_judged_at_the_same_point():
    rng = np.random.default_rng(0)
    x, w = (torch.from_numpy(rng.normal(size=(3, 4)).astype(np.float32)) for _ in range(2))

    report = gradcheck.check(ScalesItsWeights, x, w, contract=False)

    assert {n: t.ok for n, t in report.tensors.items()} == {"x": True, "w": True}, str(report)

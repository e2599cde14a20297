"""Public softmaxes, losses and activations have the properties; where one has not, it is known."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.special

from gradcheck.properties import Status, run_properties

torch = pytest.importorskip("torch", reason="the extra `integrations` is not installed")
pytestmark = pytest.mark.integration


def failures(suite, fn, examples=15, **options):
    report = run_properties(suite, fn, examples=examples, seed=0, **options)
    assert any(r.status is Status.PASSED for r in report.results), str(report)
    return {r.name for r in report.results if r.status in (Status.FAILED, Status.ERRORED)}


def torch_vjp(x, g):
    leaf = torch.tensor(x, requires_grad=True)
    torch.softmax(leaf, dim=-1).backward(torch.tensor(g))
    return leaf.grad.numpy()


TORCH = {
    "torch.softmax": ("softmax", torch.softmax, {}),
    "Softmax": ("softmax", torch.nn.Softmax(dim=-1), {"backward": torch_vjp}),
    "Softmax along axis 1": ("softmax", torch.nn.Softmax(dim=1), {}),
    "log_softmax": ("log_softmax", torch.nn.functional.log_softmax, {}),
    "CrossEntropyLoss": ("loss", torch.nn.CrossEntropyLoss(), {}),
    "BCELoss": ("loss", torch.nn.BCELoss(), {}),
    "BCEWithLogitsLoss": ("loss", torch.nn.BCEWithLogitsLoss(), {}),
    "BCEWithLogitsLoss, unreduced": ("loss", torch.nn.BCEWithLogitsLoss(reduction="none"), {}),
    "MSELoss": ("loss", torch.nn.MSELoss(), {}),
    "GELU": ("activation", torch.nn.GELU(), {}),
}


@pytest.mark.parametrize("name", TORCH)
def test_torch_has_the_properties(name):
    suite, fn, options = TORCH[name]

    assert not failures(suite, fn, **options)


def test_softplus_of_torch_is_linear_beyond_its_threshold_of_twenty():
    report = run_properties("activation", torch.nn.functional.softplus, seed=0, examples=50)

    assert report["agrees_with_reference"].status is Status.FAILED
    assert {r.name for r in report.results if r.status is Status.FAILED} == {
        "agrees_with_reference"
    }


@pytest.mark.parametrize(
    ("suite", "fn", "options"),
    [
        ("softmax", scipy.special.softmax, {"log_softmax": scipy.special.log_softmax}),
        ("log_softmax", scipy.special.log_softmax, {"softmax": scipy.special.softmax}),
        ("activation", scipy.special.expit, {}),
        ("activation", np.tanh, {}),
    ],
    ids=["softmax", "log_softmax", "expit", "tanh"],
)
def test_scipy_and_numpy_have_the_properties(suite, fn, options):
    assert not failures(suite, fn, **options)


def test_scikit_learn_has_the_properties_of_batches():
    extmath = pytest.importorskip("sklearn.utils.extmath")
    report = run_properties("softmax", extmath.softmax, examples=15)

    assert report.ok, str(report)
    assert report.detected["tried on"] == "2-D arrays"


@pytest.fixture
def jax():
    """Give jax numbers of 64 bits, for as long as a test lasts."""
    module = pytest.importorskip("jax")
    before = module.config.jax_enable_x64
    module.config.update("jax_enable_x64", True)
    yield module
    module.config.update("jax_enable_x64", before)


def test_jax_in_64_bits_has_the_properties(jax):
    # Few inputs: every shape is compiled anew.
    assert not failures("softmax", jax.nn.softmax, 3, log_softmax=jax.nn.log_softmax)


def test_jax_in_32_bits_narrows_what_it_is_given(jax):
    jax.config.update("jax_enable_x64", False)

    only = ["dtype_kept", "empty_batch_stays_empty"]
    assert failures("softmax", jax.nn.softmax, only=only) == {"dtype_kept"}

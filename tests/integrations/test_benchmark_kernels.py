"""Kernels of the benchmark: right ones are within rounding, wrong ones are not, in any format."""

import numpy as np
import pytest

import benchmarks.kernels  # noqa: F401 (chooses the interpreter, before Triton is imported)

for package in ("torch", "jax", "numba", "triton"):
    pytest.importorskip(package, reason="the extra `integrations` is not installed")
pytestmark = pytest.mark.integration

from benchmarks.kernels.backends import MODULES, backend_of, kernels  # noqa: E402
from benchmarks.kernels.judges import exceeds_rounding  # noqa: E402

KERNELS = [
    pytest.param(backend, kernel, id=f"{backend}-{kernel.name}")
    for backend in MODULES
    for kernel in kernels(backend)
]


def test_there_are_forty():
    assert len(KERNELS) == 40


@pytest.mark.parametrize(("backend", "kernel"), KERNELS)
def test_right_one_is_within_rounding_and_wrong_one_is_not(backend, kernel):
    library, dtype = backend_of(backend), kernel.dtypes[0]
    drawn = kernel.inputs(np.random.default_rng(0))
    low = [library.cast(library.array(value), dtype) for value in drawn]

    def numbers(function, of):
        rng = np.random.default_rng(0) if kernel.has_gradient else None
        return library.evaluate(function, [library.cast(value, of) for value in low], rng)

    right, wrong = kernel.function(wrong=False), kernel.function(wrong=True)
    reference, single = numbers(kernel.reference, "float64"), numbers(right, "float32")

    assert not exceeds_rounding(numbers(right, dtype), reference, single, dtype)
    assert exceeds_rounding(numbers(wrong, dtype), reference, single, dtype)

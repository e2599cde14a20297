"""pylops' operators are checked as they are."""

from __future__ import annotations

import numpy as np
import pytest

import gradcheck

pylops = pytest.importorskip("pylops", reason="the extra `integrations` is not installed")
pytestmark = [
    pytest.mark.integration,
    # of its FFT, at each call
    pytest.mark.filterwarnings("ignore:numpy backend always returns complex128"),
]

RNG = np.random.default_rng(0)
MATRIX = RNG.normal(size=(5, 7))

RIGHT = {
    "MatrixMult": lambda: pylops.MatrixMult(MATRIX),
    "MatrixMult, complex": lambda: pylops.MatrixMult(MATRIX + 1j * MATRIX[::-1], dtype=complex),
    "FirstDerivative": lambda: pylops.FirstDerivative(16, edge=True),
    "SecondDerivative": lambda: pylops.SecondDerivative((6, 5), axis=0),
    "Laplacian": lambda: pylops.Laplacian((6, 5)),
    "CausalIntegration": lambda: pylops.CausalIntegration(16),
    "Restriction": lambda: pylops.Restriction(16, [1, 4, 9]),
    "Real, linear over the reals": lambda: pylops.basicoperators.Real(8, dtype=complex),
    "Conj, linear over the reals": lambda: pylops.basicoperators.Conj(8, dtype=complex),
    "Diagonal, float32": lambda: pylops.Diagonal(MATRIX[0].astype(np.float32), dtype=np.float32),
    "Smoothing1D, float32": lambda: pylops.Smoothing1D(3, 16, dtype=np.float32),
    "FFT": lambda: pylops.signalprocessing.FFT(16, dtype=complex),
    "FFT of the reals": lambda: pylops.signalprocessing.FFT(16, real=True),
    "FFT of float32": lambda: pylops.signalprocessing.FFT(16, real=True, dtype=np.float32),
    "Convolve1D": lambda: pylops.signalprocessing.Convolve1D(16, np.array([1.0, 2, 3]), offset=1),
    "Kronecker": lambda: pylops.Kronecker(pylops.Identity(3), pylops.FirstDerivative(5)),
    "product": lambda: pylops.FirstDerivative(16) @ pylops.CausalIntegration(16),
    "stack": lambda: pylops.VStack([pylops.Identity(8), 2 * pylops.Identity(8)]),
    "adjoint": lambda: pylops.MatrixMult(MATRIX).H,
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_operator_passes(name):
    report = gradcheck.check(RIGHT[name]())

    assert report.ok, str(report)
    assert report.contract["linear"].holds


class Scale(pylops.LinearOperator):
    """As pylops' documentation has people write theirs."""

    def __init__(self, factors, adjoint_factors, shift=0.0):
        super().__init__(dtype=factors.dtype, shape=(factors.size, factors.size))
        self.factors, self.adjoint_factors, self.shift = factors, adjoint_factors, shift

    def _matvec(self, x):
        return self.factors * x + self.shift

    def _rmatvec(self, x):
        return self.adjoint_factors * x


def test_wrong_adjoint_and_shift_of_a_user_are_found():
    factors = np.arange(1.0, 6.0)

    assert gradcheck.check(Scale(factors, factors)).ok
    flipped = gradcheck.check(Scale(factors, -factors))
    assert [explanation.code for explanation in flipped.explanations] == ["sign_flipped"]
    shifted = gradcheck.check(Scale(factors, factors, shift=1e-9))
    assert [explanation.code for explanation in shifted.explanations] == ["not_linear"]


def test_missing_conjugate_is_named():
    factors = np.array([1 + 2j, 3 - 1j, 2j])

    assert gradcheck.check(Scale(factors, factors.conj())).ok
    missing = gradcheck.check(Scale(factors, factors))
    assert missing.explanations[0].code == "conjugate_missing"


def test_input_of_the_dimensions_of_the_model_is_taken():
    assert gradcheck.check(pylops.Laplacian((6, 5)), RNG.normal(size=(6, 5))).ok

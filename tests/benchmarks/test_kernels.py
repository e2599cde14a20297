"""What judges kernels in low precision: fixed tolerances, and a measure beside all judges."""

import numpy as np
import pytest

from benchmarks.kernels.judges import exceeds_rounding, relative_norm, torch_defaults, within

REFERENCE = [np.linspace(1, 2, 9)[:-1]]  # of one power of two: an ulp is 2**-7 in bfloat16
ULP = 2.0**-7


def off_by(error, at=3):
    """Return the reference with one entry that is off."""
    changed = REFERENCE[0].copy()
    changed[at] += error
    return [changed]


@pytest.mark.parametrize(
    ("ulps", "expected"), [(0.5, False), (-1.0, False), (1.5, True), (-2.0, True)]
)
def test_more_than_an_ulp_exceeds_rounding(ulps, expected):
    found = exceeds_rounding(off_by(ulps * ULP), REFERENCE, REFERENCE, "bfloat16")

    assert found is expected


def test_errors_of_the_right_kernel_in_float32_are_allowed_four_times():
    single = off_by(ULP, at=0)

    assert not exceeds_rounding(off_by(4.9 * ULP), REFERENCE, single, "bfloat16")
    assert exceeds_rounding(off_by(5.1 * ULP), REFERENCE, single, "bfloat16")


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_what_is_not_finite_exceeds_rounding(number):
    assert exceeds_rounding(off_by(number), REFERENCE, REFERENCE, "bfloat16")


@pytest.mark.parametrize("judge", [torch_defaults, within(1e-2), relative_norm])
def test_fixed_tolerances_take_small_errors_and_no_large_ones(judge):
    assert judge(off_by(1e-3), REFERENCE, "bfloat16")
    assert not judge(off_by(0.5), REFERENCE, "bfloat16")
    assert not judge(off_by(np.nan), REFERENCE, "bfloat16")

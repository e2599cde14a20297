"""Formats: the numbers that they have, beside those of NumPy and of ml_dtypes' documentation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradcheck.numerics.formats import FORMATS

OF_NUMPY = ["float16", "float32", "float64"]
ANY = st.floats(allow_nan=False, width=64)


@pytest.mark.parametrize("name", OF_NUMPY)
@given(value=ANY)
def test_a_number_is_rounded_as_numpy_rounds_it(name, value):
    with np.errstate(over="ignore"):
        expected = float(np.float64(value).astype(name))

    assert float(FORMATS[name].rounded(np.float64(value))) == expected


@pytest.mark.parametrize("name", OF_NUMPY)
@given(value=st.floats(-1e4, 1e4, width=16))
def test_an_ulp_is_the_distance_to_the_next_number(name, value):
    spacing = float(np.spacing(np.abs(np.dtype(name).type(value))))

    assert float(FORMATS[name].ulp(np.float64(value))) == spacing


@pytest.mark.parametrize("known", FORMATS.values(), ids=list(FORMATS))
@given(value=st.floats(-200, 200))
def test_rounding_is_off_by_half_an_ulp_at_most_and_cutting_off_never_away_from_zero(known, value):
    nearest, cut = (
        known.rounded(np.float64(value)),
        known.rounded(np.float64(value), toward_zero=True),
    )

    assert abs(nearest - value) <= known.ulp(np.float64(value)) / 2
    assert abs(cut) <= abs(value)
    assert abs(cut - value) < known.ulp(np.float64(value))
    assert known.has(nearest) == bool(nearest)


@pytest.mark.parametrize(
    ("name", "largest", "beyond"),
    [("bfloat16", 3.3895e38, 3.4e38), ("float8_e4m3fn", 448, 480), ("float8_e5m2", 57344, 65536)],
)
def test_beyond_the_largest_number_is_infinity(name, largest, beyond):
    known = FORMATS[name]

    assert known.largest == pytest.approx(largest, rel=1e-4)
    assert np.isinf(known.rounded(np.float64(beyond)))


def test_numbers_of_a_wider_format_are_none_of_a_narrower_one():
    assert FORMATS["float32"].has(np.array([1.5, 0.0, np.inf]))
    assert not FORMATS["float32"].has(np.array([1.5, 0.1]))
    assert not FORMATS["float32"].has(np.zeros(3))

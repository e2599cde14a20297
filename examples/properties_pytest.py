"""One pytest test per property of your own functions: ``pytest examples/properties_pytest.py``."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from gradcheck.properties import assert_property, parametrize_with_properties


@parametrize_with_properties("softmax", softmax, examples=20)
def test_softmax(check):
    check()


@parametrize_with_properties(
    "activation",
    lambda x: np.log(1 + np.exp(x)),
    examples=20,
    expected_failures={"huge_inputs_stay_right": "inputs are normalised and stay below 700"},
)
def test_softplus(check):
    check()


@given(st.lists(st.floats(-30, 30), min_size=1, max_size=5))
def test_rows_sum_to_one_on_my_own_inputs(row):
    assert_property("softmax", "rows_sum_to_one", softmax, x=np.array([row]))

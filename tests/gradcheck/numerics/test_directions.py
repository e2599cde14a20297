"""The step natural for an entry: its neighbours' size, or its own where it has other units."""

import numpy as np
import pytest

from gradcheck.numerics.directions import per_entry_scale


def test_entry_that_happens_to_be_small_is_moved_as_its_neighbours_are():
    scale = per_entry_scale(np.array([1.0, -2.0, 1e-3, 0.0]))

    assert np.all(scale >= 1.0)


def test_parameters_of_other_units_are_moved_in_these():
    units = np.logspace(-6, 6, 7)

    scale = per_entry_scale(0.7 * units)

    small = units < 0.5  # a millionth of the largest
    assert np.all(scale[small] / units[small] < 2)
    assert np.all(scale[~small] >= 2e5)


@pytest.mark.parametrize("residue", [0.0, -2.2e-16, 1e-15])
def test_what_rounding_left_of_a_zero_has_no_units(residue):
    assert np.all(per_entry_scale(np.array([1.0, residue, -1.0])) >= 0.5)


def test_as_few_small_entries_as_chance_brings_have_no_units():
    vector = np.ones(3_000_000)
    vector[17] = 1e-8

    assert per_entry_scale(vector)[17] == 1


@pytest.mark.parametrize("value", [np.array(3.0), np.zeros(3), np.zeros(0)])
def test_single_number_zeros_and_nothing_have_a_scale(value):
    assert np.all(per_entry_scale(value) > 0)

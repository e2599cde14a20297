"""The Taylor test sees orders 1 and 2 of right gradients, and of wrong ones no second order."""

import math

import numpy as np
import pytest

import network
from gradcheck import TargetError, taylor_test

X = np.array([[0.4, -1.3, 2.0], [0.9, 0.2, -0.6]])


def cubes(factor=1.0, offset=0.0):
    return (lambda x: np.sum(x**3), lambda x: factor * 3 * x**2 + offset)


@pytest.mark.parametrize("seed", range(5))
def test_right_gradient_shows_orders_one_and_two(seed):
    report = taylor_test(cubes(), X, seed=seed)

    assert report.ok
    assert report.orders == pytest.approx((1, 2), abs=0.05)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("wrong", [{"factor": 2.0}, {"factor": 1.001}, {"offset": 1e-3}])
def test_wrong_gradient_shows_order_one_twice(wrong, seed):
    report = taylor_test(cubes(**wrong), X, seed=seed)

    assert not report.ok
    assert report.orders == pytest.approx((1, 1), abs=0.05)


def test_remainders_and_orders_are_those_of_their_steps():
    report = taylor_test(cubes(), X)

    for above, below in zip(report.rows, report.rows[1:], strict=False):
        assert below.step == above.step / 2
        assert below.first_order == math.log2(above.first / below.first)
        assert below.zeroth_order == math.log2(above.zeroth / below.zeroth)
    assert report.rows[-1].first > 0


def test_linear_function_has_no_remainder_of_first_order():
    report = taylor_test((lambda x: 3 * np.sum(x), lambda x: np.full(x.shape, 3.0)), X)

    assert report.ok
    assert report.orders[1] == math.inf


def test_network_with_all_its_parameters_and_a_cotangent():
    assert taylor_test(network.mlp([3, 5, 2], seed=1), X, cotangent=np.ones((2, 2))).ok


def test_low_precision_is_tested_as_far_down_as_it_shows():
    def f(x):
        return np.sum(np.float32(x) ** 3)

    report = taylor_test((f, lambda x: 3 * x**2), X.astype(np.float32))

    assert report.ok
    assert len(report.rows) < len(taylor_test(cubes(), X).rows)


def test_table_has_a_row_for_every_step_and_says_what_it_shows():
    report = taylor_test(cubes(), X)
    text = str(report)

    assert all(f"{row.step:.2e}" in text for row in report.rows)
    assert "orders 1.00 and 2.00" in text
    assert "the gradient is right" in text
    assert "not right" in str(taylor_test(cubes(factor=2.0), X))


def test_the_same_seed_gives_the_same_table():
    assert taylor_test(cubes(), X, seed=3) == taylor_test(cubes(), X, seed=3)
    assert taylor_test(cubes(), X, seed=3) != taylor_test(cubes(), X, seed=4)


def test_gradient_of_another_shape_is_refused_by_name():
    with pytest.raises(TargetError, match=r"the gradient of x has shape"):
        taylor_test((lambda x: np.sum(x**3), lambda x: (3 * x**2)[:1]), X)

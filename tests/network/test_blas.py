"""Products and sums into memory that is there: right in every layout, precision and share kept."""

import numpy as np
import pytest

from network.blas import add_scaled, plain_product, product

RNG = np.random.default_rng(0)
LAYOUTS = {
    "rows": np.ascontiguousarray,
    "columns": np.asfortranarray,
    "strided": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
}
EACH_LAYOUT = pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
PRODUCTS = pytest.mark.parametrize("multiply", [product, plain_product])


@PRODUCTS
@EACH_LAYOUT
@pytest.mark.parametrize("out_layout", LAYOUTS.values(), ids=LAYOUTS)
@pytest.mark.parametrize("keep", [0.0, 0.5])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_product_is_added_to_the_share_that_is_kept(multiply, layout, out_layout, keep, dtype):
    a, b = (layout(RNG.normal(size=shape).astype(dtype)) for shape in ((5, 3), (3, 4)))
    before = RNG.normal(size=(5, 4)).astype(dtype)
    out = out_layout(before.copy())

    assert multiply(a, b, out=out, keep=keep) is out

    tolerance = 20 * np.finfo(dtype).eps
    np.testing.assert_allclose(out, a @ b + keep * before, rtol=tolerance, atol=tolerance)


@PRODUCTS
def test_what_is_not_kept_may_be_nan(multiply):
    out = np.full((2, 2), np.nan, order="F")

    assert np.isfinite(multiply(np.ones((2, 3)), np.ones((3, 2)), out=out)).all()


@PRODUCTS
@pytest.mark.parametrize("shapes", [((0, 3), (3, 2)), ((2, 0), (0, 3)), ((2, 3), (3, 0))])
def test_empty_matrices_have_their_product(multiply, shapes):
    a, b = map(np.ones, shapes)
    out = np.full((len(a), b.shape[1]), 7.0, order="F")

    np.testing.assert_array_equal(multiply(a, b, out=out), a @ b)


@EACH_LAYOUT
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_scaled_array_is_added_in_place(layout, dtype):
    y, x = layout(np.ones((3, 2), dtype)), np.arange(6, dtype=dtype).reshape(3, 2)

    add_scaled(y, 0.5, x)

    np.testing.assert_array_equal(y, 1 + 0.5 * x)

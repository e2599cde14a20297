"""Data frames, labelled arrays and quantities reach users' functions as they came."""

from functools import wraps

import numpy as np
import pytest

import gradcheck
from gradcheck import TargetError, Verdict

pd = pytest.importorskip("pandas", reason="the extra `integrations` is not installed")
pl = pytest.importorskip("polars", reason="the extra `integrations` is not installed")
xr = pytest.importorskip("xarray", reason="the extra `integrations` is not installed")
pint = pytest.importorskip("pint", reason="the extra `integrations` is not installed")
pytestmark = pytest.mark.integration

RNG = np.random.default_rng(0)
A, V = RNG.standard_normal((5, 3)), RNG.standard_normal(5)
LABELS = list("vwxyz")
Q = pint.UnitRegistry().Quantity

FRAME = pd.DataFrame(A, columns=list("abc"), index=LABELS)
SERIES = pd.Series(V, index=LABELS, name="s")
POLARS = pl.DataFrame({name: A[:, n] for n, name in enumerate("abc")})
LABELLED = xr.DataArray(A, dims=("time", "place"), coords={"time": list(range(5))})


def of_frame(df):
    assert list(df.columns) == list("abc")
    return float((df["a"] ** 2 * df["b"]).sum() + (df["c"] ** 3).sum())


def frame_gradient(df):
    return pd.DataFrame({"c": 3 * df["c"] ** 2, "a": 2 * df["a"] * df["b"], "b": df["a"] ** 2})


def polars_gradient(df):
    a, b, c = (pl.col(name) for name in "abc")
    return df.select((2 * a * b).alias("a"), (a**2).alias("b"), (3 * c**2).alias("c"))


def cubes(x):
    return float((x**3).sum())


def cubes_of_frame(df):
    return float((df**3).sum().sum())


def squares(x):
    return 3 * x**2


def anomaly(x):
    assert x.dims == ("time", "place")
    return float((x.mean("time") ** 2).sum())


CASES = {
    "data frame": (of_frame, frame_gradient, FRAME),
    "data frame, gradient as an array": (
        of_frame,
        lambda df: frame_gradient(df)[list("abc")].to_numpy(),
        FRAME,
    ),
    "data frame of its own floats": (cubes_of_frame, squares, FRAME.astype("Float64")),
    "data frame of two precisions": (cubes_of_frame, squares, FRAME.astype({"a": "float32"})),
    "series": (cubes, squares, SERIES),
    "series of its own floats": (cubes, squares, SERIES.astype("Float64")),
    "series of whole numbers": (cubes, squares, pd.Series([1, -2, 3])),
    "series, gradient in another order": (cubes, lambda s: squares(s).sort_values(), SERIES),
    "polars frame": (of_frame, polars_gradient, POLARS),
    "polars series": (cubes, squares, pl.Series("s", V)),
    "labelled array": (
        anomaly,
        lambda x: 2 * x.mean("time") / x.sizes["time"] + 0 * x,  # of (place, time)
        LABELLED,
    ),
    "quantity": (lambda x: (x**2).sum(), lambda x: 2 * x, Q(V, "m")),
    "quantity, gradient in another unit": (
        lambda x: (x**2).sum(),
        lambda x: (2 * x).to("cm"),
        Q(V, "km"),
    ),
    "quantity, output in another unit": (
        lambda x: (x**2).sum().to("cm**2"),
        lambda x: 2 * x,
        Q(V, "km"),
    ),
    "quantity, bare numbers back": (
        lambda x: float((x**2).sum().magnitude),
        lambda x: 2 * x.magnitude,
        Q(V, "km"),
    ),
    "one quantity": (lambda x: x**2, lambda x: 2 * x, Q(1.5, "s")),
    "quantity of whole numbers": (lambda x: (x**2).sum(), lambda x: 2 * x, Q(np.arange(3), "m")),
}


@pytest.mark.parametrize("name", CASES)
def test_gradients_by_containers_are_judged_by_their_numbers(name):
    loss, gradient, x = CASES[name]

    @wraps(loss)  # df is the data frame, and no gradient of f
    def watched(given):
        if type(given) is not type(x):
            raise TypeError(f"given {type(given)}")
        return loss(given)

    right = gradcheck.check((watched, gradient), x)
    wrong = gradcheck.check((watched, lambda x: gradient(x) * 1.01), x, explain=False)

    assert right.ok, str(right)
    assert wrong.verdict is Verdict.FAIL


LAYERS = {
    "series": (lambda s: s**3, lambda s, d: 3 * s**2 * d, SERIES),
    "labelled array": (lambda x: x**2, lambda x, d: 2 * x * d, LABELLED),
    "quantity": (lambda x: x**2, lambda x, d: 2 * x * d, Q(A, "m")),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_of_containers_are_checked(name):
    forward, backward, x = LAYERS[name]

    report = gradcheck.check((forward, backward), x)

    assert report.ok, str(report)


def test_several_quantities_have_their_own_units():
    pair = (
        lambda v, m: m * v**2 / 2,
        lambda v, m, d: (d * m * v, (d * v**2 / 2).sum()),
    )

    report = gradcheck.check(pair, Q(V, "km/h"), Q(2.0, "kg"))

    assert report.ok, str(report)


def test_a_gradient_of_another_dimension_is_refused():
    pair = (lambda x: (x**2).sum(), lambda x: 2 * x**2)

    with pytest.raises(ValueError, match=r"gradient of x has the unit kilometer \*\* 2, expected"):
        gradcheck.check(pair, Q(V, "km"))


def test_data_beside_parameters_stays_as_it_is():
    data = FRAME.assign(group=list("pqpqp"), count=range(5))

    def loss(w, df):
        return float((df["a"] * w[0] + df["count"] * w[1]).pow(2).sum())

    def gradient(w, df):
        e = df["a"] * w[0] + df["count"] * w[1]
        return np.array([2 * (e * df["a"]).sum(), 2 * (e * df["count"]).sum()])

    report = gradcheck.check((loss, gradient), np.array([0.2, -0.4]), data)

    assert report.ok, str(report)
    assert list(report.tensors) == ["w"]


def test_a_frame_that_is_not_all_numbers_is_refused_by_a_clear_word():
    with pytest.raises(TargetError, match="df: DataFrame, not all of floats: give its numbers"):
        gradcheck.check(
            (lambda df: float(df["a"].sum()), lambda df: 1), FRAME.assign(group=list("pqpqp"))
        )


def test_a_constraint_and_a_reference_see_containers_too():
    x = pd.Series([0.2, 0.3, 0.5], index=list("abc"))

    report = gradcheck.check(
        (lambda s: float((s**2).sum()), lambda s: 2 * s + 7),
        x,
        constraint="simplex",
        reference=lambda s: float(np.dot(s, s)),
    )

    assert report.ok, str(report)

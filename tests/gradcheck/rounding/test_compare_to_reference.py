"""compare_to_reference(): what rounding explains is right, and what it does not has its kind."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gradcheck
from gradcheck import TargetError
from gradcheck.rounding.tensor_comparison import RoundingKind

LOW = [np.float16, np.float32]


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_backward(x, d):
    p = softmax(x)
    return p * (d - (d * p).sum(axis=-1, keepdims=True))


def layer_norm(x):
    centred = x - x.mean(axis=-1, keepdims=True)
    return centred / np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + x.dtype.type(1e-5))


def wide(function):
    """Compute as a kernel does: in float32, the result rounded once."""
    return lambda *arrays: function(*(a.astype(np.float32) for a in arrays)).astype(arrays[0].dtype)


FUNCTIONS = {
    "softmax": softmax,
    "layer norm": layer_norm,
    "tanh": np.tanh,
    "logistic": lambda x: 1 / (1 + np.exp(-x)),
    "log of sum": lambda x: np.log(np.exp(x).sum(axis=-1)),
    "variance": lambda x: x.var(axis=-1),
    "products": lambda x: x @ x.T,
    "cancellation": lambda x: (1 + x) ** 2 - (1 - x) ** 2,
    "running sum": lambda x: np.cumsum(x, axis=-1),
}


@settings(max_examples=40)
@given(
    name=st.sampled_from(list(FUNCTIONS)),
    dtype=st.sampled_from(LOW),
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(2, 9),
    columns=st.integers(2, 70),
    size=st.sampled_from([0.1, 1.0, 4.0]),
)
def test_whatever_is_computed_in_float32_and_rounded_once_is_within_rounding(
    name, dtype, seed, rows, columns, size
):
    function = FUNCTIONS[name]
    x = (np.random.default_rng(seed).normal(size=(rows, columns)) * size).astype(dtype)

    for kernel in (wide(function), function):  # the second rounds after every operation
        report = gradcheck.compare_to_reference(kernel, x, reference=function, seed=seed)

        assert report.ok is not False, f"{report}"


@settings(max_examples=25)
@given(
    name=st.sampled_from(sorted(set(FUNCTIONS) - {"variance"})),
    dtype=st.sampled_from(LOW),
    seed=st.integers(0, 2**32 - 1),
    factor=st.sampled_from([0.97, 1.03, 1.1, 2.0, -1.0]),
)
def test_a_factor_is_systematic_whatever_the_function(name, dtype, seed, factor):
    function = FUNCTIONS[name]
    x = np.random.default_rng(seed).normal(size=(8, 24)).astype(dtype)

    def kernel(x):
        return (np.float32(factor) * function(x.astype(np.float32))).astype(x.dtype)

    report = gradcheck.compare_to_reference(
        kernel, x, reference=function, accumulator="float32", intermediates="float32"
    )

    assert report.kind is RoundingKind.SYSTEMATIC, f"{report}"
    assert report.ok is False


@pytest.mark.parametrize("dtype", LOW)
def test_a_factor_within_half_an_ulp_of_every_entry_is_seen_in_their_sum(dtype):
    x = np.random.default_rng(0).uniform(1, 2, (64, 64)).astype(dtype)
    unit = float(np.finfo(dtype).eps) / 4

    def kernel(x):
        return (x.astype(np.float64) * 2.7 * (1 + unit)).astype(x.dtype)

    options = {"accumulator": "float64", "intermediates": "float64"}
    right = gradcheck.compare_to_reference(
        lambda x: (x.astype(np.float64) * 2.7).astype(x.dtype),
        x,
        reference=lambda x: x * 2.7,
        **options,
    )
    wrong = gradcheck.compare_to_reference(kernel, x, reference=lambda x: x * 2.7, **options)

    assert right.ok, f"{right}"
    assert wrong.kind is RoundingKind.SYSTEMATIC, f"{wrong}"


def test_a_sum_in_low_precision_has_its_kind_and_its_length():
    x = np.random.default_rng(0).uniform(0, 1, (6, 1000)).astype(np.float16)

    def short(x):
        total = np.zeros(len(x), x.dtype)
        for column in x.T:
            total += column
        return total

    declared = {"accumulator": "float32", "reference": lambda x: x.sum(axis=1)}
    report = gradcheck.compare_to_reference(short, x, **declared)

    assert report.kind is RoundingKind.SHORT_ACCUMULATOR, f"{report}"
    assert "sums in float16 over 1,000 terms" in str(report)
    assert gradcheck.compare_to_reference(wide(lambda x: x.sum(axis=1)), x, **declared).ok


def test_a_missed_upcast_has_its_kind():
    x = (3 * np.random.default_rng(0).normal(size=(16, 64))).astype(np.float16)

    declared = gradcheck.compare_to_reference(softmax, x, reference=softmax, accumulator="float32")
    measured = gradcheck.compare_to_reference(softmax, x, reference=softmax)

    assert declared.kind is RoundingKind.MISSED_UPCAST, f"{declared}"
    assert measured.ok
    assert "float16 (measured)" in str(measured)


SLIPS = {
    "from index 48 of axis 1 on, where a tile of 16 begins": lambda y: np.concatenate(
        [y[:, :48], 0 * y[:, 48:]], axis=1
    ),
    "at index 63 of axis 1, the last": lambda y: np.concatenate([y[:, :-1], 0 * y[:, -1:]], axis=1),
    "at the indices 4 to 7 of axis 0": lambda y: np.where(
        np.arange(16)[:, None] // 4 == 1, 2 * y, y
    ),
    "the last two axes are exchanged": lambda y: y[:, :16].T,
    "the entries are one behind their places along axis 1": lambda y: np.roll(y, 1, axis=1),
    "not finite": lambda y: np.where(y == y.max(), np.nan, y),
    "all entries are off by": lambda y: y + y.dtype.type(0.25),
    "every index of axis 0 has a factor of its own": lambda y: (
        y * np.linspace(1.1, 1.5, 16).astype(y.dtype)[:, None]
    ),
    "all entries are 0": lambda y: 0 * y,
}


@pytest.mark.parametrize("words", SLIPS)
def test_a_systematic_error_is_said_to_be_where_it_is(words):
    x = np.random.default_rng(0).normal(size=(16, 64)).astype(np.float32)
    square = words.startswith("the last two")

    def right(x):
        return np.tanh(x)[:, :16] if square else np.tanh(x)

    report = gradcheck.compare_to_reference(lambda x: SLIPS[words](np.tanh(x)), x, reference=right)

    assert report.kind is RoundingKind.SYSTEMATIC
    assert words in " ".join(str(report).split())


def test_results_that_are_cut_off_are_told_and_no_error():
    x = np.random.default_rng(0).normal(size=(16, 64)).astype(np.float32)

    def cut_off(x):
        return (
            (np.tanh(x).view(np.uint32) & np.uint32(0xFFFFE000)).view(np.float32).astype(np.float16)
        )

    report = gradcheck.compare_to_reference(
        cut_off, x, reference=np.tanh, accumulator="float32", intermediates="float32"
    )

    assert report.ok
    assert "cut off toward zero" in " ".join(str(report).split())


def test_gradients_are_compared_where_both_have_some():
    x = np.random.default_rng(0).normal(size=(8, 24)).astype(np.float32)

    right = gradcheck.compare_to_reference(
        (softmax, softmax_backward), x, reference=(softmax, softmax_backward)
    )
    wrong = gradcheck.compare_to_reference(
        (softmax, lambda x, d: 1.01 * softmax_backward(x, d)),
        x,
        reference=(softmax, softmax_backward),
    )
    alone = gradcheck.compare_to_reference(softmax, x, reference=softmax)

    assert right.ok
    assert [t.name for t in right.tensors] == ["output", "gradient of x"]
    assert wrong.worst.name == "gradient of x"
    assert "1.01 times" in str(wrong)
    assert "outputs alone were compared" in str(alone)


def test_what_rounding_may_change_altogether_is_undecided():
    x = np.full((4, 4), 1e8, np.float32) + np.arange(16, dtype=np.float32).reshape(4, 4) * 8

    def cancels(x):
        return (x * x + 1) - x * x

    assert gradcheck.compare_to_reference(cancels, x, reference=cancels).ok is None


def test_an_overflow_of_the_format_is_right_where_the_reference_is_beyond_it():
    x = np.array([[1.0, 300.0, -300.0, 5.0]], np.float16)

    assert gradcheck.compare_to_reference(np.square, x, reference=np.square).ok


def test_assertion_shows_the_report():
    x = np.linspace(-1, 1, 20, dtype=np.float32)

    with pytest.raises(AssertionError, match="all entries are 2 times"):
        gradcheck.assert_close_to_reference(lambda x: 2 * np.tanh(x), x, reference=np.tanh)
    assert gradcheck.assert_close_to_reference(np.tanh, x, reference=np.tanh).ok


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"accumulator": "float33"}, ValueError, "accumulator='float33': unknown; use one of"),
        ({"intermediates": "bf16"}, ValueError, "intermediates='bf16': unknown; use one of"),
        ({"reference": lambda x: (x, x)}, TargetError, "reference: .* returns 2 outputs"),
        ({"reference": lambda x: x.astype(np.float32)}, TargetError, "computes in float32 though"),
        ({"reference": lambda: 0}, TargetError, "reference: "),
    ],
)
def test_bad_arguments_are_named(options, error, words):
    with pytest.raises(error, match=words):
        gradcheck.compare_to_reference(
            np.tanh, np.ones(4, np.float32), **{"reference": np.tanh, **options}
        )


def test_the_same_seed_gives_the_same_report():
    x = np.random.default_rng(0).normal(size=(8, 24)).astype(np.float32)

    first, again = (gradcheck.compare_to_reference(softmax, x, reference=softmax) for _ in range(2))

    assert str(first) == str(again)


@pytest.mark.parametrize("shape", [(8, 3), (4, 6), (12, 4), (6,)])
def test_outputs_of_another_shape_are_told(shape):
    x = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)

    report = gradcheck.compare_to_reference(
        lambda x: np.resize(np.tanh(x), shape), x, reference=np.tanh
    )

    assert report.ok is False
    assert f"output has the shape {list(shape)}, the reference [6, 4]\n" in str(report)


def test_axes_of_length_one_are_no_difference():
    x = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)

    def kept(x):
        return x.sum(axis=1, keepdims=True)

    assert gradcheck.compare_to_reference(kept, x, reference=lambda x: x.sum(axis=1)).ok


def test_a_statistic_of_rows_is_told_though_results_were_rounded_before():
    x = (2 * np.random.default_rng(0).normal(size=(6, 50))).astype(np.float16)

    def without_root(x):
        v = x.astype(np.float32)
        return ((v - v.mean(1, keepdims=True)) / v.var(1, keepdims=True)).astype(x.dtype)

    def normalised(x):
        return (x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True)

    report = gradcheck.compare_to_reference(
        without_root, x, reference=normalised, accumulator="float32"
    )

    assert report.kind is RoundingKind.SYSTEMATIC
    assert "every index of axis 0 has a factor of its own" in " ".join(str(report).split())

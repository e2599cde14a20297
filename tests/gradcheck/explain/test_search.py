"""Every pattern names the bug that it knows, and none of them names what it does not know."""

from functools import partial

import numpy as np
import pytest

import gradcheck
from gradcheck import Target, Verdict

RNG = np.random.default_rng(11)
X = RNG.normal(size=(5, 6))
S = RNG.normal(size=(5, 5))


def layer(forward, vjp, x=X):
    """A layer of one input: its forward, and its claim from input and cotangent."""
    return Target(
        "layer",
        {"x": x},
        lambda tensors: forward(tensors["x"]),
        lambda tensors, v: {"x": vjp(tensors["x"], v)},
    )


def normalised(x, axis):
    deviation = np.sqrt(x.var(axis=axis, keepdims=True) + 1e-5)
    return (x - x.mean(axis=axis, keepdims=True)) / deviation, deviation


def batch_norm(x):
    return normalised(x, 0)[0]


def batch_norm_without(*lost):
    def vjp(x, v):
        xhat, deviation = normalised(x, 0)
        mean = 0 if "mean" in lost else v.mean(axis=0)
        variance = 0 if "variance" in lost else xhat * (v * xhat).mean(axis=0)
        return (v - mean - variance) / deviation

    return vjp


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def softmax_vjp(x, v):
    y = softmax(x)
    return y * (v - (v * y).sum(axis=-1, keepdims=True))


def softmax_along_other_axis(x, v):
    y = softmax(x)
    return y * (v - (v * y).sum(axis=0, keepdims=True))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def relu(x):
    return np.maximum(x, 0)


def moving_average(x):
    return np.cumsum(x, axis=1)


def windows(x):
    return np.stack([x[:, i : i + 3] for i in range(4)], axis=1)


def last_window_only(x, v):
    dx = np.zeros_like(x)
    for i in range(4):
        dx[:, i : i + 3] = v[:, i]
    return dx


BUGS = {
    "path through the mean": ("path_missing", layer(batch_norm, batch_norm_without("mean"))),
    "path through the variance": (
        "path_missing",
        layer(batch_norm, batch_norm_without("variance")),
    ),
    "both paths": ("path_missing", layer(batch_norm, batch_norm_without("mean", "variance"))),
    "skip connection": (
        "path_missing",
        layer(lambda x: x + np.tanh(x @ S), lambda x, v: (v * (1 - np.tanh(x @ S) ** 2)) @ S.T, S),
    ),
    "recurrent path": ("path_missing", layer(moving_average, lambda x, v: v * 1.0)),
    "softmax's diagonal": (
        "jacobian_diagonal_only",
        layer(softmax, lambda x, v: softmax(x) * (1 - softmax(x)) * v),
    ),
    "softmax twice": (
        "softmax_jacobian_twice",
        layer(softmax, lambda x, v: softmax_vjp(x, softmax_vjp(x, v))),
    ),
    "softmax's sum along the batch": ("wrong_axis", layer(softmax, softmax_along_other_axis)),
    "square weight untransposed": ("transposed", layer(lambda x: x @ S, lambda x, v: v @ S, S)),
    "tanh's derivative missing": (
        "activation_derivative_missing",
        layer(np.tanh, lambda x, v: v.copy()),
    ),
    "tanh's derivative at the output": (
        "derivative_at_wrong_point",
        layer(np.tanh, lambda x, v: v * (1 - np.tanh(np.tanh(x)) ** 2)),
    ),
    "sigmoid without 1 - y": (
        "derivative_at_wrong_point",
        layer(sigmoid, lambda x, v: v * sigmoid(x)),
    ),
    "mask missing": ("mask_not_applied", layer(relu, lambda x, v: v.copy())),
    "mask inverted": ("wrong_mask", layer(relu, lambda x, v: v * (x < 0))),
    "slope of the negative side": (
        "slope_wrong",
        layer(lambda x: np.where(x > 0, x, 0.1 * x), lambda x, v: np.where(x > 0, v, 0.3 * v)),
    ),
    "clip forgotten": (
        "clip_ignored",
        layer(lambda x: np.clip(x, -0.8, 0.8), lambda x, v: v * 1.0),
    ),
    "flipped": ("wrong_index", layer(np.tanh, lambda x, v: (v * (1 - np.tanh(x) ** 2))[:, ::-1])),
    "shifted": ("wrong_index", layer(lambda x: x**2, lambda x, v: np.roll(2 * x * v, 1, axis=1))),
    "overlapping windows": ("overwritten_not_accumulated", layer(windows, last_window_only)),
    "one entry": (
        "few_entries",
        layer(lambda x: x**3, lambda x, v: 3 * x**2 * v + np.eye(5, 6) * (x == x[2, 2])),
    ),
    "float32 inside": (
        "precision_lost",
        layer(np.sin, lambda x, v: (np.cos(x) * v).astype(np.float32).astype(np.float64)),
    ),
    "weight decay in backward alone": (
        "additive_term",
        layer(lambda x: x @ S, lambda x, v: v @ S.T + 0.1 * x, S),
    ),
}


@pytest.mark.parametrize("bug", BUGS)
def test_a_pattern_names_its_bug(bug):
    code, target = BUGS[bug]

    report = gradcheck.check(target)

    assert report.verdict is Verdict.FAIL
    assert code in [e.code for e in report.tensors["x"].explanations], str(report)
    assert all(e.evidence and e.message and e.fix for e in report.explanations)


def test_exchanged_gradients_are_named():
    def forward(tensors):
        return tensors["a"] * np.tanh(tensors["b"])

    def vjp(tensors, v):
        a, b = tensors["a"], tensors["b"]
        return {"a": v * a * (1 - np.tanh(b) ** 2), "b": v * np.tanh(b)}

    report = gradcheck.check(Target("gate", {"a": X, "b": X[::-1].copy()}, forward, vjp))

    assert report.explanations[0].code == "swapped"


def test_a_sum_over_the_wrong_axis_of_a_square_output_is_named():
    report = gradcheck.check(
        Target(
            "bias",
            {"b": S[0]},
            lambda tensors: S + tensors["b"],
            lambda tensors, v: {"b": v.sum(axis=1)},
        )
    )

    assert report.explanations[0].code == "wrong_axis"


def test_the_gradient_of_another_loss_is_named():
    targets = np.eye(6)[[0, 2, 1, 5, 3]]

    def loss(x):
        return -np.sum(targets * np.log(softmax(x))) / 5

    report = gradcheck.check((loss, lambda x: (x - targets) / 5), X)

    assert report.explanations[0].code == "gradient_of_other_loss"


def disturbed(x, v, noise):
    return softmax_vjp(x, v * (1 + noise * x)) * (1 + noise * np.sin(7 * x * v))


@pytest.mark.parametrize("seed", range(5))
def test_errors_without_a_rule_are_left_unexplained(seed):
    noise = np.random.default_rng(seed).normal(size=X.shape)
    vjp = partial(disturbed, noise=noise)  # in two places, so that no one change mends it
    wrong = layer(softmax, lambda x, v: vjp(x, v))

    report = gradcheck.check(wrong, contract=False)

    assert [e.code for e in report.explanations] == ["unexplained"], str(report)
    assert "entries measured are wrong" in report.explanations[0].evidence


@pytest.mark.parametrize("seed", range(5))
def test_a_random_gradient_is_left_unexplained(seed):
    claim = np.random.default_rng(seed).normal(size=X.shape)

    report = gradcheck.check((lambda x: float(np.sum(softmax(x) ** 2)), lambda x: claim), X)

    assert [e.code for e in report.explanations] == ["unexplained"], str(report)


def test_advice_for_a_lost_axis_keeps_it():
    def forward(tensors):
        return tensors["x"] + tensors["b"]

    def vjp(tensors, v):
        return {"x": v, "b": v.sum(axis=0)}

    report = gradcheck.check(Target("row", {"x": X, "b": X[:1]}, forward, vjp))

    assert report.explanations[0].code == "wrong_shape"
    assert "keepdims=True" in report.explanations[0].fix


def test_advice_for_a_batch_of_one_that_is_not_summed_is_no_other_shape_again():
    def forward(tensors):
        return tensors["x"] + tensors["b"]

    report = gradcheck.check(
        Target("row", {"x": X[:1], "b": X[0]}, forward, lambda _, v: {"x": v, "b": v})
    )

    assert report.explanations[0].code == "wrong_shape"
    assert "d.sum(axis=0)," in report.explanations[0].fix

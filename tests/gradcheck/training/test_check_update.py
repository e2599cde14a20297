"""check_update(): what a step that only updates its weights really descends."""

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 6))
LABELS = RNG.integers(0, 4, 12)
Y = np.eye(4)[LABELS]
RATE = 0.3


class Softmax:
    """A linear classifier with a monolithic train step."""

    def __init__(self, gradient):
        rng = np.random.default_rng(1)
        self.params = {"W": rng.normal(size=(6, 4)), "b": rng.normal(size=4)}
        self.gradient = gradient

    def predict(self, X):
        z = X @ self.params["W"] + self.params["b"]
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def loss(self):
        return -np.mean(np.sum(Y * np.log(self.predict(X)), axis=1))

    def train(self):
        p = self.predict(X)
        for name, gradient in self.gradient(p, self.params).items():
            self.params[name] -= RATE * gradient


def of_delta(delta):
    return {"W": X.T @ delta, "b": delta.sum(axis=0)}


def right(p, params):
    return of_delta((p - Y) / len(X))


def jacobian_twice(p, params):
    d = p - Y
    return of_delta((p * d - p * np.sum(p * d, axis=1, keepdims=True)) / len(X))


def summed_over_batch(p, params):
    return of_delta(p - Y)


def climbing(p, params):
    return of_delta((Y - p) / len(X))


def last_row(p, params):
    delta = (p - Y) / len(X)
    return {"W": X.T @ delta, "b": delta[-1]}


def one_number(p, params):
    d = p - Y
    delta = (p * d - p * np.sum(p * d, axis=1, keepdims=True)) * [1, 2, 3, 4] / len(X)
    return {"W": X.T @ ((p - Y) / len(X)), "b": delta.sum()}


def check(gradient, **options):
    model = Softmax(gradient)
    return gradcheck.check_update(
        model.train, model.params, model.loss, learning_rate=RATE, **options
    )


def explained(gradient):
    model = Softmax(gradient)
    return gradcheck.check_update(
        model.train,
        model.params,
        model.loss,
        learning_rate=RATE,
        predict=model.predict,
        inputs=X,
        targets=LABELS,
    )


def test_a_right_step_passes_with_a_fine_resolution():
    report = check(right)

    assert report.ok, str(report)
    assert all(t.resolution < 1e-7 for t in report.tensors.values())


@pytest.mark.parametrize(
    ("gradient", "codes", "tensors"),
    [
        (jacobian_twice, {"gradient_of_other_loss"}, {"W", "b"}),
        (summed_over_batch, {"factor_batch_size"}, {"W", "b"}),
        (climbing, {"sign_flipped"}, {"W", "b"}),
        (last_row, {"last_sample_only"}, {"b"}),
    ],
)
def test_a_wrong_step_is_named_by_what_it_descends(gradient, codes, tensors):
    report = explained(gradient)

    assert {e.code for e in report.explanations} == codes
    failed = {name for name, t in report.tensors.items() if t.verdict is Verdict.FAIL}
    assert failed == tensors


def test_without_predictions_what_needs_none_is_still_named():
    assert [e.code for e in check(summed_over_batch).explanations] == ["constant_factor"]
    assert [e.code for e in check(climbing).explanations] == ["sign_flipped"]


def test_a_constant_that_is_no_sum_is_not_called_one():
    codes = {e.code for e in explained(one_number).explanations}

    assert "summed_to_scalar" not in codes


def test_the_explanation_says_which_loss_and_what_to_write():
    (explanation,) = explained(jacobian_twice).explanations

    assert "squared error" in explanation.message
    assert "delta = p - y" in explanation.fix
    assert explanation.confidence > 0.75


def test_parameters_are_as_before():
    model = Softmax(right)
    before = {name: value.copy() for name, value in model.params.items()}
    arrays = dict(model.params)

    gradcheck.check_update(model.train, model.params, model.loss, learning_rate=RATE)

    assert all(model.params[name] is arrays[name] for name in arrays)
    assert all(np.array_equal(model.params[name], before[name]) for name in before)


def test_lists_and_objects_of_parameters_are_taken():
    w = np.array([2.0, -1.0])

    def step():
        w[...] -= 0.1 * 2 * w

    for params in ([w], type("Model", (), {"params": {"w": w}})()):
        report = gradcheck.check_update(step, params, lambda: np.sum(w**2), learning_rate=0.1)
        assert report.ok, str(report)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"learning_rate": 0}, "learning_rate=0"),
        ({"params": {"n": 3}}, "params"),
        ({"step": lambda: None}, "changed none"),
    ],
)
def test_what_cannot_be_checked_is_said(arguments, message):
    model = Softmax(right)
    given = {"step": model.train, "params": model.params, "loss": model.loss, "learning_rate": 1}

    with pytest.raises(ValueError, match=message):
        gradcheck.check_update(**(given | arguments))


class Rebinding:
    """Parameters as attributes, which each step replaces by new arrays."""

    def __init__(self, momentum=0.0, power=1.0):
        self.w = np.array([2.0, -1.0, 0.5])
        self.velocity = np.full(3, 0.3)
        self.momentum, self.power = momentum, power

    def loss(self):
        return np.sum(self.w**2)

    def step(self):
        self.velocity = self.momentum * self.velocity + 2 * self.w * self.power
        self.w = self.w - RATE * self.velocity


def test_rebound_attributes_are_read_anew():
    model = Rebinding()

    for params in (model, lambda: [model.w]):
        report = gradcheck.check_update(model.step, params, model.loss, learning_rate=RATE)
        assert report.ok, str(report)


def test_momentum_is_taken_off_and_said():
    model = Rebinding(momentum=0.9)

    report = gradcheck.check_update(model.step, model, model.loss, learning_rate=RATE)

    assert report.ok, str(report)
    assert list(report.tensors) == ["w"]
    assert any("momentum 0.9" in note for note in report.notes)


def test_momentum_does_not_excuse_a_wrong_gradient():
    model = Rebinding(momentum=0.9, power=-1.0)

    report = gradcheck.check_update(model.step, model, model.loss, learning_rate=RATE)

    assert report.verdict is Verdict.FAIL


def test_a_common_factor_asks_for_the_learning_rate():
    model = Rebinding(power=0.1)

    report = gradcheck.check_update(model.step, model, model.loss, learning_rate=RATE)

    assert "is it 0.03?" in report.explanations[0].message


def test_a_random_step_is_undecided_with_the_way_out():
    model, rng = Rebinding(), np.random.default_rng(0)

    def step():
        model.w = model.w - RATE * 2 * model.w * rng.random(3)

    report = gradcheck.check_update(step, model, model.loss, learning_rate=RATE)

    assert report.verdict is Verdict.UNDECIDED
    assert "one fixed batch" in report.tensors["w"].reason


def test_a_loss_for_each_sample_is_refused():
    model = Rebinding()

    with pytest.raises(ValueError, match=r"shape \(3,\)"):
        gradcheck.check_update(model.step, model, lambda: model.w**2, learning_rate=RATE)

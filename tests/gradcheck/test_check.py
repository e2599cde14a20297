"""check(): right layers pass, wrong ones fail with the bug's name, nothing is left changed."""

import itertools

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict
from tests.support import user_layers as s

RNG = np.random.default_rng(0)
X = RNG.normal(size=(5, 4))
LABELS = np.array([0, 2, 1, 1, 0])

RIGHT = {
    "attributes": (s.Dense(4, 3), (X,)),
    "dicts": (s.DictDense(), (X,)),
    "returned": (s.ListDense(), (X,)),
    "parameter objects": (s.ParameterDense(), (X,)),
    "composite": (s.Stack(), (X,)),
    "relu": (s.ReLU(), (X,)),
    "loss without cotangent": (s.SquaredError(), (X, X[::-1].copy())),
    "loss with labels": (s.CrossEntropy(), (X, LABELS)),
    "batch-norm": (s.BatchNorm(4), (X,)),
    "embedding": (s.Embedding(), (np.array([1, 3, 1, 0]),)),
    "cached pair": (
        (s.affine_forward, s.affine_backward),
        (X, RNG.normal(size=(4, 3)), np.zeros(3)),
    ),
    "pair with array cache": ((s.relu_forward, s.relu_backward), (X,)),
    "f and grad": ((lambda x: np.sum(x**3), lambda x: 3 * x**2), (X[0],)),
    "value and gradient": (s.cube_with_gradient, (X[0],)),
    "callback": (s.exp_with_callback, (X,)),
    "loss and gradients by name": (s.TwoLayerNet().loss, (X, LABELS)),
    "float32": (s.Dense(4, 3, dtype=np.float32), (X.astype(np.float32),)),
    "batch of one": (s.Dense(4, 3), (X[:1],)),
    "read-only Fortran": (s.Dense(4, 3), (np.asfortranarray(X),)),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_code_passes_in_every_convention(name):
    target, inputs = RIGHT[name]

    report = gradcheck.check(target, *inputs)

    assert report.ok, str(report)
    finest = 1e-4 if name == "float32" else 1e-5
    assert all(t.resolution < finest for t in report.tensors.values())


@pytest.mark.parametrize(
    ("name", "tensors"),
    [
        ("attributes", {"x", "W", "b"}),
        ("dicts", {"inputs", "weight", "bias"}),
        ("returned", {"x", "weights", "offset"}),
        ("parameter objects", {"x", "w"}),
        ("composite", {"x", "layers[0].W", "layers[0].b", "layers[2].W", "layers[2].b"}),
        ("loss without cotangent", {"prediction", "target"}),
        ("loss with labels", {"logits"}),
        ("batch-norm", {"x", "gamma", "beta"}),
        ("embedding", {"table"}),
        ("cached pair", {"x", "w", "b"}),
        ("loss and gradients by name", {"W1", "b1", "W2", "b2"}),
    ],
)
def test_the_tensors_of_a_convention_are_found(name, tensors):
    target, inputs = RIGHT[name]

    checked = set(gradcheck.as_target(target, *inputs).tensors)

    assert tensors <= checked


@pytest.mark.parametrize(
    ("bug", "tensor"),
    [
        ("summed_to_scalar", "b"),
        ("sign_flipped", "W"),
        ("factor_batch_size", "W"),
        ("factor_two", "W"),
        ("constant_factor", "W"),
        ("last_sample_only", "b"),
        ("zero_gradient", "b"),
        ("not_finite", "W"),
        ("broadcast_not_reduced", "b"),
        ("transposed", "W"),
    ],
)
def test_a_bug_is_found_named_and_placed(bug, tensor):
    report = gradcheck.check(s.Dense(4, 4, bug), X)

    assert report.verdict is Verdict.FAIL
    assert report.explanations[0].code == bug
    failed = {name for name, t in report.tensors.items() if t.verdict is Verdict.FAIL}
    assert failed == {tensor}


def test_one_wrong_entry_is_named_with_both_numbers():
    layer = s.Dense(4, 3)
    right = layer.backward
    layer.backward = lambda d: _spoiled(layer, right, d)

    worst = gradcheck.check(layer, X).tensors["W"].worst

    assert [entry.index for entry in worst] == [(1, 2)]
    assert worst[0].ratio == pytest.approx(1.001, abs=1e-9)


def _spoiled(layer, right, d):
    dx = right(d)
    layer.dW[1, 2] *= 1.001
    return dx


def test_three_wrong_entries_of_a_large_weight_are_found_in_few_forwards():
    layer = s.Dense(784, 300)
    places = [(3, 7), (400, 12), (783, 299)]
    right = layer.backward

    def backward(d):
        dx = right(d)
        for place in places:
            layer.dW[place] += 0.1
        return dx

    layer.backward = backward

    tensor = gradcheck.check(layer, RNG.normal(size=(2, 784)), explain=False).tensors["W"]

    assert {entry.index for entry in tensor.worst} == set(places)


def test_a_relative_error_of_1e_6_in_one_entry_of_10000_is_seen():
    layer = s.Dense(100, 100)
    right = layer.backward

    def backward(d):
        dx = right(d)
        layer.dW[50, 50] *= 1 + 1e-6
        return dx

    layer.backward = backward

    report = gradcheck.check(layer, RNG.normal(size=(4, 100)), explain=False)

    assert report.tensors["W"].verdict is Verdict.FAIL


def test_layer_and_inputs_are_as_before_even_after_an_exception():
    layer = s.BatchNorm(4)
    x = X.copy()
    mean, gamma = layer.running_mean.copy(), layer.gamma
    gradcheck.check(layer, x)

    calls = itertools.count(1)  # which nothing can turn back

    class Interrupted(s.Dense):
        def forward(self, x):
            if next(calls) == 5:
                raise KeyboardInterrupt
            return super().forward(x)

    interrupted = Interrupted(4, 3)
    weights = interrupted.W.copy()
    assert gradcheck.check(interrupted, x).interrupted

    assert np.array_equal(layer.running_mean, mean)
    assert layer.gamma is gamma
    assert not hasattr(layer, "dgamma")
    assert np.array_equal(interrupted.W, weights)
    assert np.array_equal(x, X)


def test_float32_gradients_are_judged_in_float64():
    report = gradcheck.check(s.Dense(4, 3, dtype=np.float32), X.astype(np.float32))

    assert report.tensors["W"].resolution < 1e-4
    assert any("float64" in note for note in report.notes)


def test_exact_kinks_accept_a_subgradient_and_refuse_anything_else():
    class Wrong(s.ReLU):
        def backward(self, d):
            return d * np.where(self.at_zero, 5.0, self.mask)

        def forward(self, x):
            self.at_zero = x == 0
            return super().forward(x)

    x = np.array([[0.0, 1.0, -2.0, 0.0]])

    assert gradcheck.check(s.ReLU(), x).ok
    assert gradcheck.check(Wrong(), x).verdict is Verdict.FAIL


def test_a_gradient_of_a_constant_is_undecided_if_zero_and_fails_if_not():
    class Constant:
        def __init__(self, claim):
            self.claim = claim

        def forward(self, x):
            return np.full(x.shape[0], 3.0)

        def backward(self, d):
            return np.full((len(d), 4), self.claim)

    assert gradcheck.check(Constant(0.0), X).verdict is Verdict.UNDECIDED
    assert gradcheck.check(Constant(1e-6), X).verdict is Verdict.FAIL


def test_gradients_spanning_many_orders_of_magnitude_are_judged_on_their_own_scale():
    weights = 10.0 ** np.arange(-10, 11)

    def claim(x, spoil):
        g = 2 * weights * x
        g[2] *= spoil
        return np.sum(weights * x**2), g

    x = np.ones(21)

    assert gradcheck.check((lambda x: weights * x**2, lambda d, x: 2 * weights * x * d), x).ok
    spoiled = gradcheck.check(
        (lambda x: weights * x**2, lambda d, x: 2 * weights * x * d * (1 + (weights == 1e-8))), x
    )
    assert spoiled.verdict is Verdict.FAIL


def test_tolerance_accepts_what_it_covers_and_says_so():
    layer = s.Dense(4, 3)
    right = layer.backward

    def backward(d):
        dx = right(d)
        layer.dW *= 1 + 1e-6
        return dx

    layer.backward = backward

    assert gradcheck.check(layer, X).verdict is Verdict.FAIL
    accepted = gradcheck.check(layer, X, tolerance=1e-4)
    assert accepted.ok
    assert any("without it: FAIL" in note for note in accepted.tensors["W"].notes)


def test_a_parameter_without_dimensions_is_judged_too():
    def line(w, b, x):
        error = w * x + b - 1
        return error @ error, 2 * error @ x, 2 * error.sum() * 1.5

    report = gradcheck.check(line, np.array(0.3), np.array(0.2), X[:, 0].copy())

    assert report.tensors["w"].verdict is Verdict.PASS
    assert report.tensors["b"].verdict is Verdict.FAIL


def test_a_forward_that_refuses_every_other_point_decides_nothing():
    def picky(x):
        if not np.array_equal(x, X):
            raise ValueError("only this input")
        return np.sum(x**2), 2 * x

    report = gradcheck.check(picky, X, contract=False)

    assert report.verdict is Verdict.UNDECIDED


def test_the_same_seed_gives_the_same_report():
    reports = [gradcheck.check(s.Dense(4, 3, "sign_flipped"), X, seed=3) for _ in range(2)]

    assert reports[0].to_json() == reports[1].to_json()


def test_a_passing_check_is_cheap_whatever_the_size():
    report = gradcheck.check(s.Dense(200, 100), RNG.normal(size=(8, 200)))

    assert sum(t.forwards for t in report.tensors.values()) <= 16 * len(report.tensors)


def test_assert_gradients_returns_the_report_or_raises_with_the_story():
    assert gradcheck.assert_gradients(s.Dense(4, 3), X).ok
    with pytest.raises(AssertionError, match="sign_flipped"):
        gradcheck.assert_gradients(s.Dense(4, 3, "sign_flipped"), X)


def test_a_hand_made_target_is_checked():
    target = gradcheck.Target(
        "square",
        {"x": X},
        forward=lambda tensors: tensors["x"] ** 2,
        vjp=lambda tensors, cotangent: {"x": 2 * tensors["x"] * cotangent},
    )

    assert gradcheck.check(target).ok


def test_the_first_input_answers_to_x_and_unknown_names_are_refused():
    tensors = gradcheck.check(s.DictDense(), X).tensors

    assert tensors["x"] is tensors["inputs"]
    with pytest.raises(KeyError, match="weight"):
        tensors["W"]


def test_a_given_cotangent_is_used(tmp_path):
    calls = itertools.count(1)

    class Spy(s.Dense):
        def backward(self, d):
            np.save(tmp_path / f"{next(calls)}.npy", d)
            return super().backward(d)

    v = RNG.normal(size=(5, 3))
    gradcheck.check(Spy(4, 3), X, cotangent=v, contract=False)

    assert np.array_equal(np.load(tmp_path / "2.npy"), v)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mode": "fast"}, "mode='fast'"),
        ({"tolerance": -1}, "tolerance=-1"),
        ({"tensors": ["V"]}, r"\['V'\]"),
        ({"contract": {"pretty": "require"}}, "pretty"),
        ({"cotangent": np.ones(3)}, "cotangent of shape"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        gradcheck.check(s.Dense(4, 3), X, **arguments)


@pytest.mark.parametrize(
    ("thing", "inputs", "message"),
    [
        (s.Dense, (X,), "pass an instance"),
        (3, (X,), "Tried"),
        (lambda x: x**2, (X,), "gradcheck.Target"),
        ((s.affine_forward, s.affine_backward), (), "missing"),
        (s.Embedding(), (), "missing"),
    ],
)
def test_what_cannot_be_recognised_is_refused_with_the_way_out(thing, inputs, message):
    with pytest.raises(TypeError, match=message):
        gradcheck.check(thing, *inputs)


def test_a_network_is_checked_layer_by_layer_and_the_guilty_layer_is_named():
    network = s.Stack()
    network.layers[2].bug = "summed_to_scalar"

    report = gradcheck.check(network, X)

    assert list(report.parts) == ["layers[0]", "layers[1]", "layers[2]"]
    assert [name for name, part in report.parts.items() if not part.ok] == ["layers[2]"]
    assert report.explanations[0].code == "summed_to_scalar"
    assert report.explanations[0].tensor == "layers[2].b"


def test_a_network_with_its_loss_is_checked_on_inputs_and_targets():
    network = s.Stack()
    network.loss = s.CrossEntropy()

    report = gradcheck.check(network, X, LABELS % 2)

    assert report.ok, str(report)
    assert "loss" in report.parts
    assert "layers[0].W" in report.tensors


def test_a_plain_list_of_layers_is_a_network():
    report = gradcheck.check([s.Dense(4, 5), s.ReLU(), s.Dense(5, 2, "sign_flipped")], X)

    assert report.explanations[0].tensor == "layers[2].W"
    assert report.parts["layers[1]"].ok


def test_gradients_of_the_first_inputs_alone_are_taken_where_the_rest_is_data():
    def ridge(w, b, X, t):
        error = X @ w + b - t
        return error @ error, 2 * X.T @ error, 2 * error.sum()

    report = gradcheck.check(ridge, np.ones(4), 0.5, X, X[:, 0].copy())

    assert report.ok, str(report)
    assert set(report.tensors) == {"w", "b"}


def test_a_backward_that_gives_no_gradient_at_all_is_no_pass():
    class Forgetful(s.ReLU):
        def backward(self, d):
            pass

    with pytest.raises(TypeError, match="no gradient of x"):
        gradcheck.check(Forgetful(), X)


def test_an_input_without_a_gradient_is_said_not_to_be_checked():
    report = gradcheck.check(s.SquaredError(), X, X[::-1].copy())

    assert [(array.name, array.role) for array in report.unchecked] == [("target", "input")]
    assert report.ok


def test_an_elementwise_derivative_is_taken_as_one():
    right = gradcheck.check((np.tanh, lambda x: 1 - np.tanh(x) ** 2), X)
    wrong = gradcheck.check((np.tanh, lambda x: 1 - np.tanh(x)), X)

    assert right.ok, str(right)
    assert wrong.verdict is Verdict.FAIL


def test_a_derivative_of_the_output_passes_and_is_said_to_be_one():
    report = gradcheck.check((np.tanh, lambda x: 1 - x**2), X)

    assert report.ok, str(report)
    assert any("the output" in note for note in report.notes)


def test_stationary_point_of_a_smooth_function_is_no_kink():
    report = gradcheck.check((lambda x: np.sum(x**3), lambda x: 3 * x**2), np.zeros(2))
    assert report.verdict is not Verdict.FAIL


@pytest.mark.parametrize("seed", range(3))
def test_tied_maxima_may_be_broken_either_way(seed):
    class Pool:
        def forward(self, x):
            self.shape, self.winners = x.shape, x.argmax(axis=-1)
            return x.max(axis=-1)

        def backward(self, g):
            dx = np.zeros(self.shape)
            np.put_along_axis(dx, self.winners[..., None], g[..., None], axis=-1)
            return dx

    ties = np.random.default_rng(seed).integers(0, 2, size=(6, 9, 4)).astype(float)
    assert gradcheck.check(Pool(), ties).ok
    assert gradcheck.check(Pool(), np.zeros((6, 9, 4))).ok

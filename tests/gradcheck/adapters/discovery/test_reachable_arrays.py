"""Which array is a parameter, whose gradient is owed, and which a constant, data or frozen."""

import json
import types

import numpy as np
import pytest

import gradcheck
from gradcheck import Verdict

RNG = np.random.default_rng(0)
X = RNG.normal(size=(6, 3))
Y = RNG.normal(size=(6, 2))
W = RNG.normal(size=(3, 2))
FIXED = types.SimpleNamespace(table=RNG.normal(size=2))


class Layer:
    """Linear; its weights have a gradient, what else it keeps has none."""

    def __init__(self, **kept):
        self.W = W.copy()
        vars(self).update(kept)

    def forward(self, x):
        self.x = x
        return x @ self.W + self.more()

    def more(self):
        return 0.0

    def backward(self, g):
        self.dW = self.x.T @ g
        return g @ self.W.T


def roles(report):
    return {array.name: array.role for array in report.unchecked}


def layer(more, **kept):
    kind = type("Layer", (Layer,), {"more": more})
    return kind(**kept)


CONSTANTS = {
    "a mask": layer(lambda self: self.mask, mask=np.array([1.0, 0.0])),
    "an operator": layer(lambda self: self.A @ np.ones(2), A=np.eye(2)),
    "weights of classes": layer(lambda self: self.class_weights, class_weights=np.ones(2)),
    "running statistics": layer(lambda self: self.running_mean, running_mean=np.ones(2)),
    "a module's": layer(lambda self: FIXED.table),
    "deep in containers": layer(
        lambda self: self.store["a"][0]["z"], store={"a": [{"z": np.ones(2)}]}
    ),
    "deep in objects": layer(
        lambda self: self.one.two.three.four.five.six,
        one=types.SimpleNamespace(
            two=types.SimpleNamespace(
                three=types.SimpleNamespace(
                    four=types.SimpleNamespace(five=types.SimpleNamespace(six=np.ones(2)))
                )
            )
        ),
    ),
    "in an array of objects": layer(
        lambda self: self.tables[0], tables=np.array([np.ones(2), np.ones(3)], dtype=object)
    ),
    "read-only": layer(lambda self: self.table, table=np.broadcast_to(1.5, (2,))),
}


@pytest.mark.parametrize("what", CONSTANTS)
def test_a_constant_is_named_and_spoils_nothing(what):
    report = gradcheck.check(CONSTANTS[what], X, explain=False)

    assert report.ok, str(report)
    assert list(roles(report).values()) == ["constant"]
    assert "not checked" in str(report)


class Stepped(Layer):
    """A method takes a step with what no gradient is seen of, whatever it is called."""

    def more(self):
        return self.drift

    def advance(self, rate):
        self.drift -= rate * self.pull


def statistics_layer():
    def more(self):
        self.level += 1
        return self.level * 0 + 1.0

    return layer(more, level=np.ones(2))


PARAMETERS = {
    "by its name": layer(lambda self: self.hidden_weights, hidden_weights=np.ones(2)),
    "by a step": Stepped(drift=np.ones(2), pull=np.ones(2)),
    "a single number": layer(lambda self: self.b, b=0.5),
    "in a part": layer(
        lambda self: self.part.kernel, part=types.SimpleNamespace(kernel=np.ones(2))
    ),
}


@pytest.mark.parametrize("what", PARAMETERS)
def test_a_parameter_without_a_gradient_lets_nothing_pass(what):
    report = gradcheck.check(PARAMETERS[what], X, explain=False)

    assert not report.ok
    assert report.tensors["x"].ok
    assert report.tensors["W"].ok


def test_a_container_in_which_gradients_are_claimed_holds_parameters_alone():
    class Dictionary:
        def __init__(self):
            self.params = {"W": W.copy(), "zeta": np.ones(2)}

        def loss(self, x, y):
            r = x @ self.params["W"] + self.params["zeta"] - y
            return 0.5 * np.sum(r**2), {"W": x.T @ r}

    report = gradcheck.check(Dictionary().loss, X, Y, explain=False)

    assert report.verdict is Verdict.UNDECIDED
    assert roles(report)["zeta"] == "parameter"
    assert roles(report)["y"] == "input"


def test_what_the_output_does_not_depend_on_is_not_named():
    idle = layer(lambda self: 0 * self.velocity, velocity=np.ones(2), kernel=np.ones(4))

    assert not gradcheck.check(idle, X, explain=False).unchecked


def test_a_vector_of_all_parameters_is_covered_by_its_parts_as_far_as_they_go():
    class Flat:
        def __init__(self, extra):
            self.theta = np.concatenate([W.ravel(), np.ones(2 if extra else 0)])
            self.W = self.theta[:6].reshape(3, 2)
            self.extra = extra

        def forward(self, x):
            self.x = x
            return x @ self.W + (self.theta[6:] if self.extra else 0)

        def backward(self, g):
            self.dW = self.x.T @ g
            return g @ self.W.T

    assert not gradcheck.check(Flat(extra=False), X, explain=False).unchecked
    assert not gradcheck.check(Flat(extra=True), X, explain=False).ok


def test_a_forward_that_puts_its_weights_in_their_place_anew_is_checked():
    def more(self):
        self.W = np.array(self.W)
        return 0.0

    report = gradcheck.check(layer(more), X, explain=False)

    assert report.ok
    assert set(report.tensors) == {"x", "W"}


def test_effects_are_measured_at_the_state_that_was_given():
    class Recurrent:
        """A step of one saturates it: nothing would react any more."""

        def __init__(self):
            self.U, self.V = 0.3 * RNG.normal(size=(4, 3)), 0.3 * RNG.normal(size=(2, 4))
            self.c = np.zeros(4)

        def forward(self, x):
            self.x = x
            self.h = np.tanh(x @ self.U.T + self.c)
            return self.h @ self.V.T

        def backward(self, g, learn_rate=0.02):
            d = g @ self.V * (1 - self.h**2)
            dx = d @ self.U
            self.V -= learn_rate * g.T @ self.h
            self.U -= learn_rate * d.T @ self.x
            self.c -= learn_rate * d.sum(axis=0) * 2
            return dx

    report = gradcheck.check(Recurrent(), X, explain=False)

    assert {n for n, t in report.tensors.items() if t.verdict is Verdict.FAIL} == {"c"}
    assert {"U", "V", "c"} < set(report.tensors)


def test_a_step_of_training_that_leaves_a_parameter_as_it_is_lets_nothing_pass():
    class Net:
        def __init__(self):
            self.W1, self.W2 = RNG.normal(size=(3, 4)), RNG.normal(size=(4, 2))
            self.lr = 0.1

        def predict(self, X):
            return np.tanh(X @ self.W1) @ self.W2

        def train(self, X, y):
            h = np.tanh(X @ self.W1)
            self.W2 -= self.lr * h.T @ (2 * (h @ self.W2 - y) / y.size)

        def loss(self, X, y):
            return np.mean((self.predict(X) - y) ** 2)

    report = gradcheck.check(Net(), X, Y, explain=False)

    assert report.verdict is Verdict.UNDECIDED
    assert roles(report) == {"W1": "parameter"}
    assert "leaves it as it is" in str(report)


def test_everything_is_as_before_afterwards():
    constants = layer(lambda self: self.mask * self.table[0], mask=np.ones(2), table=[np.ones(2)])
    before = constants.mask.copy(), constants.table[0].copy(), FIXED.table.copy()

    gradcheck.check(constants, X, explain=False)

    after = constants.mask, constants.table[0], FIXED.table
    assert all(map(np.array_equal, before, after))


def test_formats_name_what_is_not_checked():
    report = gradcheck.check(PARAMETERS["by its name"], X, explain=False, tensors=["x", "W"])
    content = json.loads(report.to_json())

    assert report.ok
    assert content["schema_version"] == 3
    assert [(u["name"], u["role"]) for u in content["unchecked"]] == [
        ("hidden_weights", "excluded")
    ]
    assert "not checked: hidden_weights" in report._repr_html_()


def test_a_hunt_says_why_nothing_could_be_judged():
    class Forgets(Layer):
        def backward(self, g):
            return g @ self.W.T

    report = gradcheck.hunt(Forgets(), (4, 3), examples=5)
    left_out = gradcheck.hunt(Forgets(), (4, 3), examples=5, tensors=["x"])

    assert report.verdict is Verdict.UNDECIDED
    assert "W: the output depends on it, and no gradient of it was seen" in str(report)
    assert "tensors=['x']" in str(report)
    assert left_out.ok


def test_weights_that_the_first_forward_makes_are_judged():
    class Lazy:
        def forward(self, x):
            if not hasattr(self, "W"):
                self.W, self.b = RNG.normal(size=(x.shape[1], 2)), np.zeros(2)
            self.x = x
            return x @ self.W + self.b

        def backward(self, g):
            self.dW, self.db = self.x.T @ g, 2 * g.sum(axis=0)
            return g @ self.W.T

    lazy = Lazy()
    report = gradcheck.check(lazy, X, explain=False)

    assert {n for n, t in report.tensors.items() if t.verdict is Verdict.FAIL} == {"b"}
    assert set(report.tensors) == {"x", "W", "b"}
    assert not vars(lazy)


def test_a_random_forward_costs_no_search_for_what_it_depends_on():
    calls = []

    def more(self):
        calls.append(1)
        return self.table[0] * np.frombuffer(np.random.default_rng().bytes(2), np.uint8) / 255

    report = gradcheck.check(layer(more, table=[np.ones(2) for _ in range(200)]), X, explain=False)

    assert not report.ok
    assert len(calls) < 200


def test_an_argument_called_like_a_parameter_owes_a_gradient_where_one_called_like_data_does_not():
    def forward(p, x):
        return np.tanh(x @ next(iter(p.values()))), (p, x)

    def backward(g, cache):
        p, x = cache
        (w,) = p.values()
        return dict.fromkeys(p), g * (1 - np.tanh(x @ w) ** 2) @ w.T

    for name, role in (("W", "parameter"), ("table", "input")):
        report = gradcheck.check((forward, backward), {name: W}, X, explain=False)

        assert roles(report) == {name: role}
        assert report.ok is (role == "input")


def test_a_decorator_may_give_its_wrapper_more_defaults_than_arguments():
    def handing_on(function):
        def wrapper(*args):
            return function(*args)

        wrapper.__defaults__ = function.__defaults__
        return wrapper

    @handing_on
    def scaled(x, factor=2.0):
        return factor * x

    report = gradcheck.check((scaled, lambda x, g: 2.0 * g), X)

    assert report.tensors["x"].verdict is Verdict.PASS

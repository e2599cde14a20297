"""Hunting: bugs that show only in corners are found and shrunk; right layers are left in peace."""

from functools import cache

import numpy as np
import pytest
from hypothesis import strategies as st
from typer.testing import CliRunner

from gradcheck.cli.main import app
from gradcheck.hunt import hunt, use
from gradcheck.report.data import Verdict
from gradcheck.values import TargetError
from tests.support import ROOT
from tests.support import user_layers as s

FEW = 8


class Elementwise:
    """f and its derivative, with a bug where ``wrong(x)``."""

    def __init__(self, wrong, f=np.tanh, df=lambda x: 1 - np.tanh(x) ** 2):
        self.wrong, self.f, self.df = wrong, f, df

    def forward(self, x):
        self.x = x
        return self.f(x)

    def backward(self, d):
        gradient = d * self.df(self.x)
        return np.where(self.wrong(self.x), 1.5 * gradient, gradient)


class FirstEight(s.Dense):
    """Forgets every sample beyond the eighth in the bias."""

    def backward(self, d):
        dx = super().backward(d)
        self.db = d[:8].sum(axis=0)
        return dx


class LastColumn:
    """A strided convolution that skips its last window where the size is even."""

    def __init__(self, bug=True):
        self.w, self.bug = np.array([1.0, -2.0, 0.5]), bug

    def forward(self, x):
        self.x = x
        count = (x.shape[1] - 3) // 2 + 1
        return np.stack([x[:, 2 * i : 2 * i + 3] @ self.w for i in range(count)], axis=1)

    def backward(self, d):
        dx, self.dw = np.zeros_like(self.x), np.zeros(3)
        for i in range(d.shape[1]):
            if self.bug and self.x.shape[1] % 2 == 0 and i == d.shape[1] - 1:
                continue
            dx[:, 2 * i : 2 * i + 3] += d[:, i : i + 1] * self.w
            self.dw += d[:, i] @ self.x[:, 2 * i : 2 * i + 3]
        return dx


class MaxPool:
    """Pairs of columns; the bug gives a tie's gradient to both."""

    def __init__(self, bug=False):
        self.bug = bug

    def forward(self, x):
        self.x = x.reshape(len(x), -1, 2)
        return self.x.max(axis=2)

    def backward(self, d):
        if self.bug:
            mask = self.x == self.x.max(axis=2, keepdims=True)
        else:
            mask = np.arange(2) == self.x.argmax(axis=2)[..., None]
        return (mask * d[..., None]).reshape(len(d), -1)


class FirstMask:
    """A ReLU that computes its mask once."""

    mask = None

    def forward(self, x):
        if self.mask is None or self.mask.shape != x.shape:
            self.mask = x > 0
        return np.maximum(x, 0)

    def backward(self, d):
        return d * self.mask


class FromThirdCall(s.Dense):
    """Right at first, doubled from the third forward and backward on."""

    steps = 0

    def backward(self, d):
        dx = super().backward(d)
        self.steps += 1
        return 2 * dx if self.steps > 3 else dx


class Norm:
    """The norm of every row: 0 / 0 at a row of zeros."""

    def forward(self, x):
        self.x, self.n = x, np.sqrt((x**2).sum(axis=1))
        return self.n

    def backward(self, d):
        return (d / self.n)[:, None] * self.x


class BatchOfOne(s.BatchNorm):
    """Forgets gamma for a batch of one, in the gradient of beta."""

    def backward(self, d):
        dx = super().backward(d)
        if len(d) == 1:
            self.dbeta = 2 * self.dbeta
        return dx


class Softmax:
    def forward(self, x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.p = e / e.sum(axis=1, keepdims=True)
        return self.p

    def backward(self, d):
        return self.p * (d - (d * self.p).sum(axis=1, keepdims=True))


class LayerNorm:
    def forward(self, x):
        self.std = np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)
        self.normed = (x - x.mean(axis=1, keepdims=True)) / self.std
        return self.normed

    def backward(self, d):
        n = self.normed
        mean, scaled = d.mean(axis=1, keepdims=True), (d * n).mean(axis=1, keepdims=True)
        return (d - mean - n * scaled) / self.std


def sqrt_layer():
    return Elementwise(np.isnan, np.sqrt, lambda x: 0.5 / np.sqrt(x))


def log_layer():
    return Elementwise(np.isnan, np.log, lambda x: 1 / x)


BUGS = {
    "below": (lambda: Elementwise(lambda x: x < -1.8), (8, 4), "below -1.8"),
    "above": (lambda: Elementwise(lambda x: x > 2.5), (6, 3), "above 2.5"),
    "batch_above_eight": (lambda: FirstEight(4, 3), (5, 4), "batch of more than 8"),
    "even_size": (LastColumn, (3, range(4, 10)), "even size"),
    "ties": (lambda: MaxPool(bug=True), (3, 4), "equal"),
    "old_mask": (FirstMask, (4, 3), ""),
    "third_call": (lambda: FromThirdCall(4, 3), (4, 4), ""),
    "zero_row": (Norm, (4, 3), ""),
    "batch_of_one": (lambda: BatchOfOne(3), (4, 3), "batch of less than 2"),
    "repeated_index": (lambda: s.Embedding(overwrite=True), np.array([0, 4, 3]), ""),
    "sign": (lambda: Elementwise(lambda x: x < 0), (4, 3), "below"),
    "everywhere": (lambda: s.Dense(4, 3, "sign_flipped"), (5, 4), ""),
}


SMALLEST = {"batch_above_eight": (9, 4), "even_size": (1, 4), "ties": (1, 4), "below": (1, 4)}


@cache
def hunted(name):
    """The report of a hunt for a bug, which several tests look at."""
    make, inputs, _ = BUGS[name]
    return hunt(make(), inputs, examples=FEW)


@pytest.mark.parametrize("name", BUGS)
def test_a_corner_bug_is_found_and_its_condition_told(name):
    condition = BUGS[name][2]

    report = hunted(name)

    assert report.verdict is Verdict.FAIL
    assert not report.ok
    assert condition in report.condition
    assert report.report.verdict is Verdict.FAIL or report.example.calls
    assert report.minimal[0].shape == SMALLEST.get(name, report.minimal[0].shape)


def test_a_failure_is_shrunk_to_one_readable_number():
    report = hunted("below")

    assert np.sort(report.minimal[0].ravel()).tolist() == [-2.0, 0.0, 0.0, 0.0]


RIGHT = {
    "dense": (lambda: s.Dense(4, 3), (5, 4)),
    "max_pool": (MaxPool, (3, 4)),
    "relu": (s.ReLU, (4, 3)),
    "softmax": (Softmax, (4, 3)),
    "batch_norm": (lambda: s.BatchNorm(3), (1, 3)),
    "layer_norm": (LayerNorm, (4, 3)),
    "embedding": (s.Embedding, np.array([[0, 4, 3], [1, 1, 2]])),
    "convolution": (lambda: LastColumn(bug=False), (3, range(4, 10))),
    "sqrt": (sqrt_layer, (4, 3)),
    "log": (log_layer, (4, 3)),
    "cross_entropy": (s.CrossEntropy, [(4, 3), np.array([0, 2, 1, 1])]),
    "squared_error": (s.SquaredError, [(4, 3), (4, 3)]),
    "pair": (lambda: (s.affine_forward, s.affine_backward), [(4, 4), (4, 3), (3,)]),
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_layer_passes_in_every_corner(name):
    make, inputs = RIGHT[name]

    report = hunt(make(), inputs, examples=FEW)

    assert report.verdict is Verdict.PASS, str(report)
    assert report.minimal == ()
    assert report.code() == ""


def test_the_same_seed_gives_the_same_report():
    again = hunt(s.Embedding(overwrite=True), np.array([0, 4, 3]), examples=FEW)

    assert str(again) == str(hunted("repeated_index"))


def test_every_family_is_tried():
    report = hunt(s.Dense(4, 3), (5, 4), examples=0)

    families = {trial.example.family for trial in report.trials}
    assert {"zeros", "ties", "tiny", "large", "one-hot rows", "constant rows"} <= families
    assert {len(t.example.inputs[0]) for t in report.trials} >= {1, 5, 33}


def test_inputs_that_are_all_refused_leave_it_undecided():
    report = hunt(s.Dense(4, 3), (3, 5), examples=FEW)

    assert report.verdict is Verdict.UNDECIDED
    assert report.refused == report.examples
    assert "matmul" in str(report)


def test_what_is_no_layer_is_an_error():
    with pytest.raises(TargetError):
        hunt(5, (3, 4), examples=1)
    with pytest.raises(TypeError, match="inputs"):
        hunt(s.ReLU())
    with pytest.raises(TypeError, match="make="):
        hunt(inputs=(3, 4))


def test_the_layer_is_left_as_it_was():
    layer = s.BatchNorm(3)

    hunt(layer, (4, 3), examples=FEW)

    assert layer.running_mean.tolist() == [0, 0, 0]
    assert not hasattr(layer, "std")


def test_a_class_or_a_function_makes_fresh_layers():
    made = []

    def make(x):
        made.append(x.shape)
        return s.Dense(x.shape[1], 2)

    assert hunt(s.ReLU, (4, 3), examples=5).ok
    assert hunt(make=make, inputs=(4, None), examples=5).ok
    assert len({shape[1] for shape in made}) > 1


def test_a_strategy_is_shrunk_by_hypothesis():
    entries = st.lists(st.integers(-9, 9), min_size=2, max_size=4)
    strategy = entries.map(lambda row: np.array([row], dtype=float))

    report = hunt(Elementwise(lambda x: x < -1.8), strategy, examples=60)

    assert report.minimal[0].tolist() == [[0.0, -2.0]]


def test_the_story_begins_with_what_where_how_sure_and_the_code_shows_it_again():
    report = hunted("even_size")
    code = "\n".join(x for x in report.code().splitlines() if not x.startswith("layer ="))

    with pytest.raises(AssertionError, match="FAIL"):
        exec(code.replace("from tests", "# from tests"), {"layer": report.layer})
    first = "\n".join(str(report).splitlines()[:5])
    assert "FAIL" in first
    assert "sure" in first
    assert "change" in first
    assert "where" in first


def test_an_interruption_leaves_what_was_found():
    calls = iter(range(400))

    class Interrupted(s.Dense):
        def forward(self, x):
            if next(calls) == 399:
                raise KeyboardInterrupt
            return super().forward(x)

    report = hunt(Interrupted(4, 3), (5, 4), examples=FEW)

    assert report.interrupted
    assert report.verdict is Verdict.UNDECIDED
    assert report.examples > 0


def test_a_used_layer_has_seen_other_values():
    layer = FirstMask()

    use(layer, np.array([[1.0, -1.0, 2.0]]))

    assert layer.mask.tolist() == [[True, True, False]]


def test_the_command_fails_by_its_exit_status(tmp_path):
    file = tmp_path / "hunted.py"
    file.write_text(
        (ROOT / "tests" / "support" / "user_layers.py").read_text()
        + "\n\nlayer = Dense(4, 3)\nwrong = Dense(4, 3, 'sign_flipped')\n"
    )

    def run(name):
        arguments = ["hunt", f"{file}:{name}", "--input", "5,4", "--examples", "5"]
        return CliRunner().invoke(app, arguments)

    assert run("layer").exit_code == 0
    wrong = run("wrong")
    assert wrong.exit_code == 1
    assert wrong.output.startswith("FAIL")


class SinglePrecisionSigmoid:
    """Zero below -104 in float32, where double precision has a derivative left."""

    def forward(self, x):
        self.y = 1 / (1 + np.exp(-x))
        return self.y

    def backward(self, grad):
        return grad * self.y * (1 - self.y)


def test_what_underflows_in_the_precision_of_the_claim_is_no_bug():
    x = np.array([[-200.0, 1.0], [0.5, -95.0]], dtype=np.float32)

    with np.errstate(over="ignore"):
        report = hunt(SinglePrecisionSigmoid(), x, examples=5)

    assert report.ok, str(report)

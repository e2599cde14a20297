"""An investigation says in a paragraph what was found, and draws the experiment that decided."""

import json
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from diagnostics import investigate
from tests.support import training_runs as runs


@pytest.fixture
def proven(flagship, validation_set):
    curves, predict = flagship
    return investigate(predict, *validation_set, history=curves)


def test_paragraph_says_what_where_how_sure_and_what_to_change(proven):
    for words in (
        "The evaluation is wrong, not the model",
        "in how predict turns a batch into probabilities",
        "proven by experiment on the model (99% sure)",
        "What to change: Normalise each row by itself",
        "Besides: loss_accuracy_divergence",
    ):
        assert words in proven.paragraph
    assert str(proven).startswith(proven.paragraph)
    assert "\n" not in proven.paragraph


def test_paragraph_of_a_right_model_says_how_much_was_tested(healthy, validation_set):
    report = investigate(healthy[1], *validation_set)

    assert report.paragraph.startswith("Nothing wrong found: ")
    assert re.search(r"\d+ tests run", report.paragraph)


def test_each_finding_says_what_it_rests_on(proven):
    assert proven.levels["evaluation_bug"] == "proven by experiment on the model"
    assert proven.levels["loss_accuracy_divergence"] == "suspected from the curves"
    assert json.loads(proven.to_json())["levels"]["evaluation_bug"].startswith("proven")


def test_flagship_is_drawn_as_row_sums_and_batch_against_single(proven, validation_set):
    left, right = proven.figure().axes

    sums = left.lines[0].get_ydata()
    assert len(sums) == len(validation_set[1])
    assert sums.sum() == pytest.approx(1)
    assert left.get_title(loc="left") == "Do rows sum to one?"
    assert "asked for alone" in right.get_xlabel()
    assert "batch of 500" in right.get_ylabel()


def draw(predict, X, y, **options):
    return investigate(predict, X, y, **options).figure().axes


def sharpened(predict, power):
    return lambda X: runs.softmax(power * np.log(np.maximum(predict(X), 1e-12)))


def test_overconfidence_is_drawn_as_a_reliability_diagram(healthy, validation_set):
    left, right = draw(sharpened(healthy[1], 12), *validation_set)

    diagonal, returned, mended = left.lines
    np.testing.assert_array_equal(diagonal.get_xdata(), diagonal.get_ydata())
    off = np.abs(returned.get_xdata() - returned.get_ydata()).mean()
    assert off > np.abs(mended.get_xdata() - mended.get_ydata()).mean()
    assert "of the loss)" in right.get_legend().get_texts()[0].get_text()


TITLES = {
    "dropout": (lambda p, X: p(X * (np.random.default_rng().random(X.shape) > 0.5)), "twice"),
    "one class": (lambda p, X: np.tile(np.eye(runs.CLASSES)[0] * 0.9 + 0.02, (len(X), 1)), "class"),
    "rounded": (lambda p, X: np.round(p(X), 1), "sum to one"),
    "twice": (lambda p, X: runs.softmax(p(X)), "sure can it be"),
    "in place": (lambda p, X: p(np.multiply(X, 1.1, out=X)), "argument"),
}


@pytest.mark.parametrize("fault", TITLES)
def test_first_panel_shows_what_decided(healthy, validation_set, fault):
    answers, words = TITLES[fault]

    axes = draw(lambda X: answers(healthy[1], X), *validation_set)

    assert words in axes[0].get_title(loc="left")


def test_copies_are_drawn_below_the_line(healthy, training_set, validation_set):
    X = np.vstack([validation_set[0][:300], training_set[0][:200]])
    y = np.concatenate([validation_set[1][:300], training_set[1][:200]])

    left = draw(healthy[1], X, y, train=training_set)[0]

    assert np.mean(left.lines[0].get_ydata() < 0.2) == pytest.approx(0.4, abs=0.01)


def test_shift_is_drawn_off_the_line_of_equal_features(healthy, training_set, validation_set):
    X, y = validation_set

    left = draw(healthy[1], 30 * X, y, train=training_set)[0]

    assert left.get_title(loc="left") == "Are the inputs alike?"


def at_reported(axis):
    """The name of the number that lies on the line of the reported one."""
    points, line = axis.lines
    near = np.abs(np.log(points.get_xdata() / line.get_xdata()[0])).argmin()
    return axis.get_yticklabels()[near].get_text().replace("\n", " ")


def test_reported_sum_is_drawn_at_its_name(healthy, validation_set):
    X, y = validation_set
    total = runs.cross_entropy(healthy[1](X), y) * len(y)

    left = draw(healthy[1], X, y, history={"val_loss": [2 * total, total]})[0]

    assert at_reported(left) == "cross-entropy summed over the samples"


def test_loss_that_training_descends_is_drawn_at_its_name(healthy, training_set, validation_set):
    p, y = healthy[1](training_set[0]), training_set[1]
    squares = float(((p - np.eye(runs.CLASSES)[y]) ** 2).mean())
    curves = {"loss": [2 * squares, squares], "val_loss": [9.0, 9.1]}

    left = draw(healthy[1], *validation_set, train=training_set, history=curves)[0]

    assert at_reported(left) == "squared error averaged over the classes"


def test_ragged_mean_is_drawn_at_its_batch_size(healthy, validation_set):
    X, y = validation_set
    losses = -np.log(healthy[1](X)[np.arange(len(y)), y])
    reported = float(np.mean([losses[i : i + 64].mean() for i in range(0, len(y), 64)]))

    left = draw(healthy[1], X, y, history={"val_loss": [9.0, reported]})[0]

    sizes, means = left.lines[0].get_data()
    assert dict(zip(sizes, means, strict=True))[64] == pytest.approx(reported)


@pytest.mark.parametrize("ending", ["png", "svg", "html", "json", "txt"])
def test_report_is_written_in_the_format_of_its_ending(proven, tmp_path, ending):
    path = proven.save(tmp_path / f"report.{ending}")

    content = path.read_bytes()
    assert content
    if ending == "png":
        assert content.startswith(b"\x89PNG")
    if ending == "svg":
        ET.fromstring(content)


def test_page_leads_with_the_paragraph_and_the_experiment(proven, tmp_path):
    page = proven.save(tmp_path / "report.html").read_text(encoding="utf-8")

    assert page.index("The evaluation is wrong") < page.index("<svg") < page.index("<section")
    assert page.count("<svg") == 2
    assert "<script" not in page


def test_page_escapes_what_the_model_says(validation_set, tmp_path):
    def predict(X):
        raise RuntimeError("<script>alert(1)</script>")

    page = investigate(predict, *validation_set).save(tmp_path / "report.html").read_text()

    assert "<script" not in page


def test_picture_without_answers_is_refused(validation_set):
    report = investigate(lambda X: "ten", *validation_set)

    with pytest.raises(ValueError, match="no experiment to draw"):
        report.figure()


def test_curves_are_drawn_where_no_experiment_could_be_made(flagship, validation_set, tmp_path):
    report = investigate(lambda X: "ten", *validation_set, history=flagship[0])

    assert report.save(tmp_path / "run.png").read_bytes().startswith(b"\x89PNG")


def test_predictions_decide_without_the_model(flagship, validation_set):
    X, y = validation_set

    report = investigate(flagship[1](X), X, y, history=flagship[0])

    assert report.primary.code == "evaluation_bug"
    assert report.levels["evaluation_bug"] == "decided from predictions and labels"
    assert "nondeterministic_prediction" not in report.tests_run


def test_right_predictions_are_no_problem_without_the_model(healthy, validation_set, training_set):
    X, y = validation_set

    assert investigate(healthy[1](X), X, y, train=training_set).ok


def test_only_experiments_that_were_made_are_counted(healthy, training_set, validation_set):
    without = investigate(healthy[1], *validation_set).tests_run
    with_train = investigate(healthy[1], *validation_set, train=training_set).tests_run

    assert set(with_train) - set(without) >= {"distribution_shift", "label_noise"}
    assert not {"reported_loss", "loss_is_a_sum"} & set(with_train)


def test_silence_on_a_handful_of_samples_is_not_taken_for_a_pass(healthy, validation_set):
    X, y = validation_set

    report = investigate(healthy[1], X[:3], y[:3])

    assert "3 samples are too few" in report["too_few_samples"].message
    assert "3 samples are too few" in report.paragraph

"""Models and data as users bring them, in every form, and faults that hide in training."""

import numpy as np
import pytest

from diagnostics import Severity, investigate
from tests.support import training_runs as runs

CENTRES = np.random.default_rng(123).normal(size=(runs.CLASSES, runs.FEATURES))


def nearest_centre(X):
    return runs.softmax(X @ CENTRES.T - (CENTRES**2).sum(axis=1) / 2)


def test_number_that_could_be_probability_or_logit_is_read_with_the_others():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 1))
    y = (rng.random(300) < 1 / (1 + np.exp(-2 * X[:, 0]))).astype(int)

    report = investigate(lambda x: 2 * x[:, 0], X, y)

    assert "evaluation_bug" not in report
    assert "logits_returned" in report


def test_samples_normalised_by_their_batch_are_found_though_one_alone_is_not_a_number():
    X, y = runs.blobs(300, seed=3, spread=0.5)

    def predict(x):
        with np.errstate(all="ignore"):
            return nearest_centre((x - x.mean(axis=0)) / x.std(axis=0))

    report = investigate(predict, X, y)

    assert report.primary.code == "evaluation_bug"
    assert "it is not a number" in report.primary.message
    report.figure()


def test_predict_that_changes_its_argument_is_named_and_the_samples_stay():
    X, y = runs.blobs(300, seed=3, spread=0.5)
    before = X.copy()

    def predict(x):
        x -= 1
        return nearest_centre(x + 1)

    report = investigate(predict, X, y)

    assert report.primary.code == "input_mutated"
    np.testing.assert_array_equal(X, before)


def test_samples_that_are_no_numbers_leave_questions_open_and_say_so():
    texts = np.array(["good day", "bad day", "good night", "bad night"] * 30)
    y = np.array([1, 0] * 60)

    def predict(samples):
        good = np.char.find(np.asarray(samples), "good") >= 0
        return np.stack([np.where(good, 0.1, 0.9), np.where(good, 0.9, 0.1)], axis=1)

    report = investigate(predict, texts, y, train=(texts, y))

    assert report.ok  # few distinct texts repeat in any split
    assert "the samples are not numbers" in report["undecided"].message


class Frame:
    """As much of a data frame as is asked for: rows by ``iloc``, a shape, an array."""

    def __init__(self, values):
        self.values = values
        self.shape = values.shape

    def __len__(self):
        return len(self.values)

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype=dtype)

    def __getitem__(self, rows):
        assert isinstance(rows, slice), "a data frame takes columns here"
        return Frame(self.values[rows])

    @property
    def iloc(self):
        frame = self

        class Rows:
            def __getitem__(self, rows):
                return Frame(frame.values[rows])

        return Rows()


def test_data_frames_reach_the_model_as_data_frames():
    X, y = runs.blobs(400, seed=3, spread=0.5)

    def predict(frame):
        assert isinstance(frame, Frame)
        return nearest_centre(frame.values)

    report = investigate(predict, Frame(X[:200]), y[:200], train=(Frame(X[200:]), y[200:]))

    assert report.ok, str(report)


def test_labels_that_are_names_are_refused_with_the_way_to_encode_them():
    X, y = runs.blobs(60, seed=3)

    with pytest.raises(ValueError, match=r"y: expected class indices.*np\.searchsorted"):
        investigate(nearest_centre, X, np.array(["a", "b", "c", "d", "e", "f"])[y])


def test_names_are_encoded_by_the_classes_of_the_model_that_a_function_uses():
    X, y = runs.blobs(200, seed=3, spread=0.5)
    names = np.array(["a", "b", "c", "d", "e", "f"])

    class Model:
        classes_ = names

        def predict_proba(self, X):
            return nearest_centre(X)

    model = Model()

    for predict in (model.predict_proba, lambda X: model.predict_proba(X)):
        assert investigate(predict, X, names[y]).ok


def learned_by_heart(X, labels):
    """A model that knows its training labels and answers others by their nearest sample."""

    def predict(x):
        distance = ((x[:, None, :] - X[None]) ** 2).sum(axis=2)
        return 0.9 * np.eye(runs.CLASSES)[labels[distance.argmin(axis=1)]] + 0.1 / runs.CLASSES

    return predict


@pytest.mark.parametrize("which", ["training", "validation"])
def test_set_whose_labels_are_shuffled_is_told_by_its_neighbours(which):
    (X, y), (V, v) = runs.blobs(300, seed=3, spread=0.5), runs.blobs(300, seed=4, spread=0.5)
    rng = np.random.default_rng(0)
    if which == "training":
        y = rng.permutation(y)
    else:
        v = rng.permutation(v)

    report = investigate(learned_by_heart(X, y), V, v, train=(X, y))

    assert report.primary.code == "shuffled_labels"
    assert f"The labels of the {which} set are shuffled" in report.primary.message


class Layers:
    """Two layers, and ReLUs that large inputs have killed."""

    def __init__(self, dead):
        rng = np.random.default_rng(0)
        W = rng.normal(size=(runs.FEATURES, 20))
        b = np.where(np.arange(20) < dead, -1e6, 0.0)
        V = rng.normal(size=(20, runs.CLASSES))
        self.layers = [lambda x: np.maximum(x @ W + b, 0), lambda x: x @ V / 1000]

    def predict(self, X):
        for layer in self.layers:
            X = layer(X)
        return runs.softmax(X)


def test_large_inputs_are_the_cause_where_units_are_dead():
    X, y = runs.blobs(300, seed=3)

    report = investigate(Layers(dead=18).predict, 255 * X, y)

    assert report.primary.code == "unnormalised_inputs"
    assert report["dead_units"].evidence["dead units"] == 18


def test_large_inputs_alone_are_a_remark():
    X, y = runs.blobs(300, seed=3, spread=0.5)

    report = investigate(lambda x: nearest_centre(x / 255), 255 * X, y)

    assert report["unnormalised_inputs"].severity is Severity.INFO
    assert report.paragraph.startswith("Nothing wrong found")


def test_layers_that_do_not_lead_to_the_answers_are_not_judged():
    X, y = runs.blobs(300, seed=3, spread=0.5)

    class Wrapped:
        layers = Layers(dead=20).layers

        def predict(self, x):
            return nearest_centre(x)

    assert "dead_units" not in investigate(Wrapped().predict, X, y)


def test_too_few_epochs_do_not_hide_what_experiments_find():
    X, y = runs.blobs(300, seed=3, spread=0.5)
    curves = {"val_loss": [1.0, 0.9], "val_accuracy": [0.5, 0.6]}

    report = investigate(lambda x: runs.softmax(nearest_centre(x)), X, y, history=curves)

    assert report.primary.code == "softmax_twice"


def test_noise_from_a_seed_set_at_each_call_is_seen_between_copies():
    X, y = runs.blobs(300, seed=3, spread=0.5)

    def predict(x):
        return nearest_centre(x * (np.random.default_rng(0).random(x.shape) > 0.3))

    report = investigate(predict, X, y)

    assert report.primary.code == "nondeterministic_prediction"
    assert "copies" in report.primary.message


def test_copies_are_found_though_nearly_all_samples_are_copied():
    X, y = runs.blobs(400, seed=3)
    noisy = X + 0.01 * np.random.default_rng(0).normal(size=X.shape)

    report = investigate(nearest_centre, noisy, y, train=(np.concatenate([X, X + 0.005]), [*y, *y]))

    assert report.primary.code == "train_validation_overlap"
    assert report.primary.evidence["share"] > 0.9


def test_missing_features_leave_a_right_model_alone():
    X, y = runs.blobs(800, seed=3, spread=0.5)
    X[np.random.default_rng(0).random(X.shape) < 0.05] = np.nan

    def predict(x):
        return nearest_centre(np.where(np.isfinite(x), x, 0))

    report = investigate(predict, X[:400], y[:400], train=(X[400:], y[400:]))

    assert {finding.severity for finding in report.findings} <= {Severity.INFO}
    assert not {"label_noise", "undecided"} & set(report.codes)


def test_output_with_a_cache_is_refused_with_the_way_to_the_output():
    X, y = runs.blobs(60, seed=3)

    report = investigate(lambda x: (nearest_centre(x), {"x": x}), X, y)

    assert report.primary.code == "predict_failed"
    assert "lambda X: predict(X)[0]" in report.primary.message


@pytest.mark.parametrize("labels", [(60,), (1, 60)])
def test_samples_in_columns_are_refused_with_the_way_to_turn_them(labels):
    X, y = runs.blobs(60, seed=3)

    with pytest.raises(ValueError, match=r"samples along the first axis.*X\.T"):
        investigate(lambda x: nearest_centre(x.T).T, X.T, y.reshape(labels))


def test_sure_answers_with_the_classes_of_the_labels_have_been_learned():
    X, y = runs.blobs(300, seed=3, spread=0.5)
    rng = np.random.default_rng(0)

    shuffled = investigate(nearest_centre, X, rng.permutation(y))
    untrained = investigate(lambda x: runs.softmax(x @ rng.normal(size=(12, 6)) / 99), X, y)

    assert shuffled.primary.code == "shuffled_labels"
    assert "shuffled_labels" not in untrained

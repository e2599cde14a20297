"""The demonstration finds exactly the faults that are left in the network of the question."""

from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from diagnostics import Finding, History, Severity
from gradcheck.demo import run_demo
from gradcheck.demo.examination import Fault, Sighting, examine
from gradcheck.demo.run import caption
from network import QuestionNetwork, load_mnist
from network.faulty_mlp import FAULTS

DIGITS = load_mnist()
# Three rows of pixels tell digits well enough apart for every fault to show; what a check of the
# step costs grows with the parameters.
MIDDLE = slice(350, 430)
TRAIN = DIGITS.X_train[::20, MIDDLE], DIGITS.y_train[::20]
VALIDATION = DIGITS.X_test[::5, MIDDLE], DIGITS.y_test[::5]
SIZES = (80, 12, 8, 10)
# Any three faults are left in or mended in every one of their eight ways among the subsets of even
# size: what hides or feigns a fault would have to be all three others at once to stay unseen.
SUBSETS = [c for n in (0, 2, 4) for c in combinations(FAULTS, n)]


def trained(mend):
    network = QuestionNetwork(SIZES, mend=mend)
    records = []
    for epoch in range(4):
        network.train(*TRAIN)
        loss, accuracy = network.evaluate(*VALIDATION)
        records.append({"epoch": epoch, "val_loss": loss, "val_accuracy": accuracy})
    return network, History.from_records(records)


@pytest.mark.parametrize("mend", SUBSETS, ids="+".join)
def test_exactly_the_faults_left_in_are_reported(mend):
    network, history = trained(mend)
    fresh = QuestionNetwork(SIZES, mend=mend)

    examination = examine(network, fresh, TRAIN, VALIDATION, history)

    assert examination.parts == set(FAULTS) - set(mend)
    assert len(examination.faults) == len(FAULTS) - len(mend)
    for fault in examination.faults:
        rows = dict(fault.rows())
        assert all(rows[label] for label in ("what", "where", "evidence", "change"))


def test_the_line_of_a_fault_fits_and_ends_where_a_clause_does():
    changes = "scale every row: x / x.sum(axis=-1, keepdims=True)", "divide; or do not"
    fault = Fault("loss", tuple(Sighting(f"code_{c}", "", "the loss", "", c) for c in changes))
    whole = fault.line(1, 1000)

    assert whole.endswith(f"the loss: {changes[0]}; {changes[1]}")
    for columns in range(20, len(whole)):
        line = fault.line(1, columns)
        assert len(line) <= columns
        assert line.endswith(" ...") or whole[len(line) :].startswith((": ", "; ", ", or "))


def test_the_caption_names_what_is_shaded_and_nothing_else():
    history = History.from_dict({"epoch": [1, 2, 3], "loss": [1.0, 2.0, 3.0]})
    finding = Finding(code="overfitting", severity=Severity.WARNING, message="", epochs=(2.0, 3.0))
    remark = Finding(code="converged", severity=Severity.INFO, message="", epochs=(2.0, 3.0))

    def captioned(ok, *findings):
        diagnosis = SimpleNamespace(ok=ok, findings=findings)
        return caption(SimpleNamespace(history=history, diagnosis=diagnosis))

    assert captioned(False, remark, finding).endswith("shaded: overfitting from epoch 2")
    assert "shaded" not in captioned(True, finding)
    assert "shaded" not in captioned(False, remark)


def test_too_few_epochs_are_refused(tmp_path):
    with pytest.raises(ValueError, match="epochs=2"):
        run_demo(tmp_path, epochs=2, console=Console())


def test_every_layer_and_loss_of_the_network_passes_in_both_precisions():
    import gradcheck
    import network as n

    rng = np.random.default_rng(0)
    for dtype, finest in ((np.float64, 1e-8), (np.float32, 1e-3)):
        x = rng.normal(size=(5, 4)).astype(dtype)
        labels = np.array([0, 3, 1, 2, 2])
        p = n.softmax(x)
        cases = [
            (n.Dense(4, 3, rng=rng, dtype=dtype), (x,)),
            (n.ReLU(), (x,)),
            (n.Sigmoid(), (x,)),
            (n.Tanh(), (x,)),
            (n.Softmax(), (x,)),
            (n.SoftmaxCrossEntropy(), (x, labels)),
            (n.CategoricalCrossEntropy(), (p, labels)),
            (n.MeanSquaredError(), (x, x[::-1].copy())),
            (n.mlp([4, 6, 3], dtype=dtype), (x,)),
        ]
        for layer, inputs in cases:
            report = gradcheck.check(layer, *inputs)
            assert report.ok, str(report)
            assert all(t.resolution < finest for t in report.tensors.values()), str(report)

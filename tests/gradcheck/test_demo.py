"""The demonstration finds exactly the faults that are left in the network of the question."""

from io import StringIO
from itertools import combinations

import numpy as np
import pytest
from rich.console import Console

from diagnostics import History
from gradcheck.demo import run_demo
from gradcheck.demo.examination import examine
from network import QuestionNetwork, load_mnist
from network.question import FAULTS

DIGITS = load_mnist()
TRAIN = DIGITS.X_train[::20], DIGITS.y_train[::20]
VALIDATION = DIGITS.X_test[::5], DIGITS.y_test[::5]
SIZES = (784, 24, 16, 10)


def trained(mend):
    network = QuestionNetwork(SIZES, mend=mend)
    records = []
    for epoch in range(4):
        network.train(*TRAIN)
        loss, accuracy = network.evaluate(*VALIDATION)
        records.append({"epoch": epoch, "val_loss": loss, "val_accuracy": accuracy})
    return network, History.from_records(records)


@pytest.mark.parametrize(
    "mend", [c for n in range(5) for c in combinations(FAULTS, n)], ids="+".join
)
def test_exactly_the_faults_left_in_are_reported(mend):
    network, history = trained(mend)
    fresh = QuestionNetwork(SIZES, mend=mend)

    examination = examine(network, fresh, TRAIN, VALIDATION, history)

    assert examination.parts == set(FAULTS) - set(mend)
    assert len(examination.faults) == len(FAULTS) - len(mend)
    for fault in examination.faults:
        rows = dict(fault.rows())
        assert all(rows[label] for label in ("what", "where", "evidence", "change"))


def test_the_demonstration_tells_draws_and_writes_everything(tmp_path, monkeypatch):
    monkeypatch.setattr("gradcheck.demo.run.TRAIN_STRIDE", 15)
    console = Console(width=100, record=True, file=StringIO())

    found = run_demo(tmp_path / "out", epochs=8, console=console)

    text = console.export_text()
    assert found
    assert "4 faults, each found by measurement" in text
    assert "nothing found" in text
    page = (tmp_path / "out" / "question.html").read_text()
    assert "gradient_of_other_loss" in page
    assert 'src="data:image/png;base64,' in page
    assert "http" not in page.replace("http://www.w3.org", "")
    assert (tmp_path / "out" / "question.png").read_bytes().startswith(b"\x89PNG")


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

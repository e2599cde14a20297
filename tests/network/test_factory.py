"""Networks made by name: what the command `gradcheck train` offers."""

import numpy as np
import pytest
from typer.testing import CliRunner

from gradcheck.cli.main import app
from network import Dropout, fit, mlp
from network.factory import ACTIVATIONS

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 4)).astype(np.float32)
Y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_network_of_every_activation_learns(activation):
    model = mlp([4, 24, 3], activation=activation)

    records = fit(model, X, Y, epochs=15, batch_size=16, progress=False)

    assert records[-1]["train_loss"] < 0.6 * records[0]["train_loss"]


def test_dropout_stands_behind_each_hidden_layer():
    model = mlp([4, 8, 8, 3], dropout=0.2)

    rates = [layer.rate for layer in model.layers if isinstance(layer, Dropout)]

    assert rates == [0.2, 0.2]
    assert len({layer.seed for layer in model.layers if isinstance(layer, Dropout)}) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"activation": "swish"}, "activation='swish': expected relu, leaky_relu"),
        ({"dropout": 1.0}, r"dropout=1.0: expected a number in \[0, 1\)"),
        ({"sizes": [4]}, r"sizes=\[4\]: expected at least inputs and outputs"),
    ],
)
def test_what_there_is_not_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        mlp(**({"sizes": [4, 8, 3]} | options))


def table(path):
    rows = np.column_stack([X, Y])
    np.savetxt(path, rows, delimiter=",", header="a,b,c,d,label", comments="")
    return str(path)


def test_command_builds_what_is_asked_for(tmp_path):
    asked = ["--activation", "gelu", "--dropout", "0.1", "--l2", "0.001", "--hidden", "8"]
    data = ["--data", table(tmp_path / "data.csv"), "--label", "label", "--epochs", "2"]

    done = CliRunner().invoke(app, ["train", *data, *asked, "-o", str(tmp_path / "run")])

    assert done.exit_code == 0, done.output
    assert '"penalty"' in (tmp_path / "run" / "history.jsonl").read_text()


def test_command_lists_the_activations_there_are(tmp_path):
    data = ["--data", table(tmp_path / "data.csv"), "--label", "label"]

    done = CliRunner().invoke(app, ["train", *data, "--activation", "swish"])

    assert done.exit_code == 2
    assert "expected relu" in done.output

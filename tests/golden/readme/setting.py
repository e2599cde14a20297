"""What the examples of the README take for granted: a layer, a network, its data, and a model."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from cell import Cell
from mypackage.layers import Dense
from mypackage.nn import softmax

from network import QuestionNetwork, load_mnist

EXAMPLES = Path(__file__).parents[3] / "examples"

my_softmax = softmax

rng = np.random.default_rng(0)
x = rng.normal(size=(5, 4))
my_layer = Dense(rng.normal(size=(4, 3)), rng.normal(size=3))
cell, cell_input = Cell(rng.normal(size=(5, 4)), rng.normal(size=(4, 3))), rng.normal(size=(6, 5))

digits = load_mnist()
X, y = digits.X_train[:16, 350:430].astype(np.float64), digits.y_train[:16]
net = QuestionNetwork((80, 12, 8, 10))

investigated = runpy.run_path(str(EXAMPLES / "investigate_model.py"))
model = SimpleNamespace(predict=investigated["predict"])
X_val, y_val = investigated["samples"](300)
write_history = runpy.run_path(str(EXAMPLES / "diagnose_csv.py"))["write_overfitted_run"]

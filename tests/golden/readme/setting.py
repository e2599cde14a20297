"""What the examples of the README take for granted: a layer, a network, its data, and a model."""

import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from cell import Cell
from mypackage.layers import Dense
from mypackage.nn import softmax
from scipy.optimize import rosen, rosen_der, rosen_hess  # noqa: F401 (the README's)
from scipy.sparse.linalg import aslinearoperator

from network import QuestionNetwork, load_mnist

EXAMPLES = Path(__file__).parents[3] / "examples"

my_softmax = softmax

rng = np.random.default_rng(0)
x = rng.normal(size=(5, 4))
my_layer = Dense(rng.normal(size=(4, 3)), rng.normal(size=3))
cell, cell_input = Cell(rng.normal(size=(5, 4)), rng.normal(size=(4, 3))), rng.normal(size=(6, 5))

point = np.array([-1.2, 1.0, 0.7])
A = rng.normal(size=(6, 3))
operator = aslinearoperator(A)


def residuals(p):
    return np.tanh(A @ p) - 0.5


def jacobian(p):
    return (1 - np.tanh(A @ p) ** 2)[:, None] * A


digits = load_mnist()
X, y = digits.X_train[:16, 350:430].astype(np.float64), digits.y_train[:16]
net = QuestionNetwork((80, 12, 8, 10))

investigated = runpy.run_path(str(EXAMPLES / "investigate_model.py"))
model = SimpleNamespace(predict=investigated["predict"])
X_val, y_val = investigated["samples"](300)
write_history = runpy.run_path(str(EXAMPLES / "diagnose_csv.py"))["write_overfitted_run"]

"""metric-learn: objectives of learned distances."""

import numpy as np

from benchmarks.field.item import Item, Package
from benchmarks.field.made import drawn, integers, load, normal
from benchmarks.field.readings import loss, value_and_gradient


def _nca() -> tuple:
    model = load("metric_learn:NCA")()
    model.n_iter_ = 0
    at, x, labels = drawn((normal(6), normal(9, 3), integers(9, below=3)))
    return (model._loss_grad_lbfgs, at, x, labels[:, None] == labels[None, :], -1.0)


def _mlkr() -> tuple:
    model = load("metric_learn:MLKR")()
    model.n_iter_ = 0
    return (model._loss, *drawn((normal(6), normal(9, 3), normal(9))))


def _lsml() -> tuple:
    model = load("metric_learn:LSML")()
    root, ab, cd = drawn((normal(3, 3), normal(8, 3), normal(8, 3)))
    model.w_ = np.ones(8)
    at = root @ root.T + np.eye(3)
    return ((model._total_loss, model._gradient), at, ab, cd, np.eye(3))


PACKAGE = Package(
    "metric-learn==0.7.0",
    (
        Item("NCA", _nca, value_and_gradient, ("metric_learn.nca:NCA._loss_grad_lbfgs",)),
        Item("MLKR", _mlkr, value_and_gradient, ("metric_learn.mlkr:MLKR._loss",)),
        Item("LSML", _lsml, loss(), ("metric_learn.lsml:_BaseLSML._gradient",)),
    ),
    needs=("scikit-learn==1.9.1", "joblib==1.6.0"),
)

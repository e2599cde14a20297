"""A reference NumPy multi-layer perceptron, every layer and loss of which passes its checks."""

from network.data import Digits, load_mnist
from network.functional import log_softmax, softmax
from network.layers import Dense, Layer, ReLU, Sigmoid, Softmax, Tanh
from network.losses import CategoricalCrossEntropy, Loss, MeanSquaredError, SoftmaxCrossEntropy
from network.model import Sequential, mlp
from network.optimizers import SGD
from network.question import QuestionNetwork
from network.training import evaluate, fit

__all__ = [
    "SGD",
    "CategoricalCrossEntropy",
    "Dense",
    "Digits",
    "Layer",
    "Loss",
    "MeanSquaredError",
    "QuestionNetwork",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "Softmax",
    "SoftmaxCrossEntropy",
    "Tanh",
    "evaluate",
    "fit",
    "load_mnist",
    "log_softmax",
    "mlp",
    "softmax",
]

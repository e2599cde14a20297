"""A reference NumPy multi-layer perceptron, every layer and loss of which passes its checks."""

from network.datasets import Dataset, load_data
from network.early_stopping import EarlyStopping
from network.factory import mlp
from network.faulty_mlp import QuestionNetwork
from network.functional import log_softmax, softmax
from network.layers.activations import (
    ELU,
    GELU,
    Activation,
    LeakyReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softplus,
    Tanh,
)
from network.layers.base import Layer
from network.layers.chain import Chain, Residual
from network.layers.dense import Dense
from network.layers.dropout import Dropout
from network.layers.normalisation import BatchNorm, LayerNorm
from network.layers.softmax import LogSoftmax, Softmax
from network.losses.base import Loss
from network.losses.cross_entropy import (
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
    SoftmaxCrossEntropy,
)
from network.losses.distance import HuberLoss, MeanSquaredError
from network.losses.hinge import HingeLoss
from network.mnist import Digits, download_mnist, load_mnist
from network.model import Sequential
from network.optimizers import SGD, Adam, AdamW, Optimizer, RMSProp
from network.progress import Record
from network.regularization import L1, L2, Penalty
from network.schedules import Cosine, StepDecay, WarmUp
from network.training import evaluate, fit

__all__ = [
    "ELU",
    "GELU",
    "L1",
    "L2",
    "SGD",
    "Activation",
    "Adam",
    "AdamW",
    "BatchNorm",
    "BinaryCrossEntropy",
    "CategoricalCrossEntropy",
    "Chain",
    "Cosine",
    "Dataset",
    "Dense",
    "Digits",
    "Dropout",
    "EarlyStopping",
    "HingeLoss",
    "HuberLoss",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "LogSoftmax",
    "Loss",
    "MeanSquaredError",
    "Optimizer",
    "Penalty",
    "QuestionNetwork",
    "RMSProp",
    "ReLU",
    "Record",
    "Residual",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "SoftmaxCrossEntropy",
    "Softplus",
    "StepDecay",
    "Tanh",
    "WarmUp",
    "download_mnist",
    "evaluate",
    "fit",
    "load_data",
    "load_mnist",
    "log_softmax",
    "mlp",
    "softmax",
]

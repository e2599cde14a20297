"""The layers: what goes forward, and what comes back.

To read in this order: `base` (what a layer is), `dense`, `activations`, `softmax`,
`normalisation`, `dropout`, `chain` (layers made of layers).
"""

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

__all__ = [
    "ELU",
    "GELU",
    "Activation",
    "BatchNorm",
    "Chain",
    "Dense",
    "Dropout",
    "Layer",
    "LayerNorm",
    "LeakyReLU",
    "LogSoftmax",
    "ReLU",
    "Residual",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
]

"""The losses: a mean over a batch of predictions, and its gradient."""

from network.losses.base import Loss
from network.losses.cross_entropy import (
    BinaryCrossEntropy,
    CategoricalCrossEntropy,
    SoftmaxCrossEntropy,
)
from network.losses.distance import HuberLoss, MeanSquaredError
from network.losses.hinge import HingeLoss

__all__ = [
    "BinaryCrossEntropy",
    "CategoricalCrossEntropy",
    "HingeLoss",
    "HuberLoss",
    "Loss",
    "MeanSquaredError",
    "SoftmaxCrossEntropy",
]

"""What all losses share: a mean over a batch of predictions, and its gradient.

``forward(prediction, target)`` returns the loss as a float, ``backward()`` its gradient with
respect to the last prediction. A single 1-D prediction counts as a batch of one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from gradcheck_arguments import checked
from network.functional import Array, as_array, as_floats


class Loss(ABC):
    """The last prediction, as a batch, and its target.

    Attributes
    ----------
    of_numbers
        Whether the loss can be had of any numbers (regression), and not of classes only.
    """

    of_numbers = False

    def __init__(self) -> None:
        self._kept: Any = None
        self._shape: tuple[int, ...] = ()
        self._dtype: np.dtype[Any] = np.dtype(np.float64)

    def forward(self, prediction: ArrayLike, target: ArrayLike) -> float:
        """Return the mean loss over the batch.

        Parameters
        ----------
        prediction
            Of shape (n, outputs) or (outputs,).
        target
            What it should have been, see `targets`.

        Raises
        ------
        ValueError
            If the prediction is no batch, or the target does not belong to it.
        """
        rows = as_floats(prediction, "prediction")
        if rows.ndim not in (1, 2) or rows.size == 0:
            raise ValueError(
                f"prediction has shape {rows.shape}; expected (n, classes) or (classes,), not empty"
            )
        self._shape, self._dtype = rows.shape, rows.dtype
        # three digits do not hold a sum over many classes: float16 is computed in float32
        rows = np.atleast_2d(rows).astype(np.result_type(rows, np.float32), copy=False)
        with np.errstate(under="ignore", invalid="ignore"):  # NaN is the loss of infinite numbers
            return self.value(rows, self.targets(target, rows.shape, rows.dtype))

    def __call__(self, prediction: ArrayLike, target: ArrayLike) -> float:
        """Return `forward`."""
        return self.forward(prediction, target)

    def backward(self) -> Array:
        """Return the gradient of the last loss, shaped like its prediction."""
        if self._kept is None:
            raise RuntimeError(f"{type(self).__name__}.backward was called before forward")
        with np.errstate(under="ignore", invalid="ignore"):
            return self.gradient().reshape(self._shape).astype(self._dtype, copy=False)

    @checked
    def targets(self, target: ArrayLike, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        """Return the target as rows for predictions of this shape, once it is known to fit.

        By default a target is numbers; one of another shape is not broadcast.
        """
        t = as_array(target, "target")
        if t.ndim == 1 and shape[0] == 1:
            t = t[np.newaxis]
        if t.shape != shape:
            raise ValueError(f"target has shape {t.shape}; expected {shape}, as prediction")
        if t.dtype.kind not in "fiub":
            raise ValueError(f"target has dtype {t.dtype}; expected real numbers")
        return t.astype(dtype, copy=False)

    @abstractmethod
    def value(self, prediction: Array, t: Array) -> float:
        """Return the mean loss of rows of predictions, given rows of `targets`; nothing checked."""

    @abstractmethod
    def gradient(self) -> Array:
        """Return the gradient of the last `value`."""

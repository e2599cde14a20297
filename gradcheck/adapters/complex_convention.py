"""What people mean by the gradient of a complex array: conjugates and halves of it.

For a real number L and z = x + iy, with the sources of what libraries return: PyTorch and
TensorFlow dL/dx + i dL/dy (https://docs.pytorch.org/docs/stable/notes/autograd.html), JAX and
Autograd dL/dx - i dL/dy (https://docs.jax.dev/en/latest/advanced-autodiff.html), texts on Wirtinger
calculus half of either.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

import numpy as np

from gradcheck._types import Outputs
from gradcheck.numerics.real_parts import is_complex


class Convention(Enum):
    """A meaning of gradients and cotangents, in words."""

    GRADIENT = "dL/dx + i dL/dy, as PyTorch and TensorFlow return it"
    CONJUGATE = "dL/dx - i dL/dy, as JAX and Autograd return it"
    BY_CONJUGATE = "the Wirtinger derivative by the conjugate of z, half of dL/dx + i dL/dy"
    BY_VARIABLE = "the Wirtinger derivative by z, half of dL/dx - i dL/dy"

    @property
    def _is_conjugate(self) -> bool:
        return self in (Convention.CONJUGATE, Convention.BY_VARIABLE)

    @property
    def is_of_number(self) -> bool:
        """Whether it is for gradients of one number alone, and not for pullbacks."""
        return self in (Convention.BY_CONJUGATE, Convention.BY_VARIABLE)

    def cotangents(self, cotangents: Outputs) -> Outputs:
        """Return cotangents dL/dx + i dL/dy as they are in this convention."""
        return tuple(map(np.conj, cotangents)) if self._is_conjugate else cotangents

    def gradients(self, gradients: Mapping[str, Any]) -> dict[str, Any]:
        """Return gradients of this convention as dL/dx + i dL/dy."""
        factor = 2 if self.is_of_number else 1
        return {
            name: factor * (np.conj(g) if self._is_conjugate else np.asarray(g))
            if _is_complex(g) and self is not Convention.GRADIENT
            else g
            for name, g in gradients.items()
        }


def _is_complex(gradient: Any) -> bool:
    try:
        return is_complex(gradient)
    except ValueError:  # ragged lists
        return False

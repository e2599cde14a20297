"""What a forward returned, told apart into outputs and what its backward wants back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck._types import Outputs
from gradcheck.adapters.signatures.methods import required_names
from gradcheck.adapters.signatures.name_tables import is_cache, is_cotangent
from gradcheck.adapters.signatures.pytree import arrays_in, is_plain, items, refilled
from gradcheck.values import as_outputs


@dataclass(frozen=True)
class BackwardResult:
    """What a forward returned: its outputs, and what it wants back from a backward.

    Attributes
    ----------
    raw
        The outputs as they were returned, without caches.
    outputs
        Copies of the arrays in ``raw``, in order.
    caches
        What was returned beside them.
    """

    raw: Any
    outputs: Outputs
    caches: tuple[Any, ...] = ()

    @classmethod
    def of(
        cls,
        returned: Any,
        backward: Callable[..., Any] | None = None,
        chosen: Callable[[Any], Any] | None = None,
    ) -> BackwardResult:
        """Tell outputs from caches, by their kind and by what ``backward`` asks for.

        What is ``chosen`` of what was returned, is the output.
        """
        if chosen is not None:
            returned, backward = chosen(returned), None
        wanted = [] if backward is None else required_names(backward) or []
        count = None if backward is None else _outputs_among(returned, wanted)
        if count is None:
            return cls(returned, _flat_outputs(returned))
        raw = returned[0] if count == 1 else returned[:count]
        return cls(raw, _flat_outputs(raw), tuple(returned[count:]))

    def cotangent(self, cotangents: Outputs) -> Any:
        """Return the cotangents as the outputs were returned: alone, or in nested tuples."""
        return _refilled(self.raw, iter(cotangents))


@dataclass(frozen=True)
class BackwardCall:
    """All that one call of the forward has for the arguments of a backward."""

    inputs: Sequence[Any]
    names: Sequence[str]
    result: BackwardResult
    cotangent: Any

    @property
    def scalar(self) -> bool:
        """Whether the output is one number."""
        return all(output.ndim == 0 for output in self.result.outputs)


def _outputs_among(returned: Any, wanted: Sequence[str]) -> int | None:
    """Return how many of the values returned are outputs; None where all of them are."""
    if not isinstance(returned, tuple) or len(returned) < 2 or hasattr(returned, "_fields"):
        return None
    wanted_caches = sum(map(is_cache, wanted))
    plain = [isinstance(part, np.ndarray | np.generic | float) for part in returned]
    count = next((i for i, output in enumerate(plain) if not output), len(returned))
    if wanted_caches and count == len(returned):
        count = len(returned) - wanted_caches  # arrays that the backward calls caches
    if len(returned) == 2 == len(wanted) and not all(map(is_cotangent, wanted)):
        count = 1
    return max(count, 1) if count < len(returned) else None


def _flat_outputs(raw: Any) -> Outputs:
    if is_plain(raw):
        return as_outputs(np.asarray(raw))
    return as_outputs(tuple(arrays_in(raw)))


def _refilled(raw: Any, cotangents: Iterator[Any]) -> Any:
    parts = items(raw)
    if not parts or is_plain(raw):
        return next(cotangents)
    return refilled(raw, [_refilled(part, cotangents) for _, part in parts])

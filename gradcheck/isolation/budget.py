"""Time for explanations, shared by all parts of a check."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Budget:
    """Seconds of real time, and how many of them are spent.

    Attributes
    ----------
    seconds, spent
        Those that may be spent, and those that were.
    """

    seconds: float = math.inf
    spent: float = 0.0
    _since: float | None = None

    @property
    def left(self) -> float:
        """Seconds that are left."""
        running = 0.0 if self._since is None else time.monotonic() - self._since
        return max(0.0, self.seconds - self.spent - running)

    @contextmanager
    def spending(self) -> Iterator[None]:
        """Count the time that the block takes."""
        self._since = time.monotonic()
        try:
            yield
        finally:
            self.spent += time.monotonic() - self._since
            self._since = None

"""Where a value is kept, so that it can be read and replaced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Place:
    """One attribute or item: somewhere a value is kept and can be replaced."""

    owner: Any
    key: Any
    is_item: bool

    def get(self) -> Any:
        """Return the value, None where there is none (yet)."""
        if not self.is_item:
            return getattr(self.owner, self.key, None)
        try:
            return self.owner[self.key]
        except (KeyError, IndexError):
            return None

    def put(self, value: Any) -> None:
        """Replace the value, in place where the array allows it, so that views stay valid."""
        now = self.get()
        if isinstance(now, np.ndarray) and now.flags.writeable and now.dtype == value.dtype:
            np.copyto(now, value)
            return
        self.replace(value.item() if isinstance(now, float) else value.copy())

    def replace(self, value: Any) -> None:
        """Rebind the place to ``value``."""
        if self.is_item:
            self.owner[self.key] = value
        else:
            setattr(self.owner, self.key, value)

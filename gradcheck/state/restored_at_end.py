"""What a block changed, put back when it ends, however it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def restored_at_end(restore: Callable[[], None]) -> Iterator[None]:
    """Call ``restore`` when the block ends, by an exception or Ctrl-C too."""
    try:
        try:
            yield
        finally:
            restore()
    except KeyboardInterrupt:  # which may have come while that was at it
        restore()
        raise

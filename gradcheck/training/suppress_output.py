"""Runs the user's code without anything that it shows."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


@contextmanager
def suppress_output() -> Iterator[None]:
    """Let the user's code print, log and warn, and show nothing of it."""
    level = logging.root.manager.disable
    with (
        warnings.catch_warnings(),
        np.errstate(all="ignore"),
        contextlib.redirect_stdout(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        logging.disable()
        try:
            yield
        finally:
            logging.disable(level)

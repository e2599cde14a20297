"""Layers with a wrong gradient whose code, changed anywhere, may act on the world."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np

EFFECTS = (
    "write",
    "remove",
    "program",
    "environment",
    "callback",
    "property",
    "constructor",
    "helper",
    "open file",
    "global",
)

MADE: list[str] = []


class Recorded:
    """Its construction is an effect."""

    def __init__(self) -> None:
        MADE.append("constructed")


def _two_calls_deep(folder):
    _one_call_deep(folder)


def _one_call_deep(folder):
    Path(folder, "made").write_text("x")


class Acting:
    """A dense layer with twice the gradient of its bias; its guards are never true.

    Parameters
    ----------
    effect
        What the branch would do.
    folder
        Where files are; None for none.
    guard, place
        Which condition stands before the branch, and whether in the forward or the backward.
    """

    def __init__(self, effect, folder, guard=0, place="backward"):
        rng = np.random.default_rng(3)
        self.W, self.b = rng.normal(size=(4, 3)), rng.normal(size=3)
        self.effect, self.folder, self.guard, self.place = effect, folder, guard, place
        self.called = []
        self.limit = 100
        if folder is not None:
            Path(folder, "kept").write_text("content")
            self.log = open(Path(folder, "log"), "w")  # noqa: SIM115
        self.before = self.seen()

    @classmethod
    def at_random(cls, rng, folder):
        """Return a layer with an effect behind a guard, somewhere."""
        place = "forward" if rng.random() < 0.5 else "backward"
        return cls(EFFECTS[rng.integers(len(EFFECTS))], folder, int(rng.integers(4)), place)

    @property
    def listening(self):
        self.called.append("property")
        return 0.0

    def act(self):
        if self.effect == "write":
            Path(self.folder, "made").write_text("x")
        elif self.effect == "remove":
            os.remove(Path(self.folder, "kept"))
        elif self.effect == "program":
            subprocess.run(["touch", str(Path(self.folder, "made"))], check=False)
        elif self.effect == "environment":
            os.environ["GRADCHECK_MADE"] = "1"
        elif self.effect == "callback":
            self.called.append("callback")
        elif self.effect == "property":
            _ = self.listening
        elif self.effect == "constructor":
            Recorded()
        elif self.effect == "helper":
            _two_calls_deep(self.folder)
        elif self.effect == "open file":
            self.log.write("x")
            self.log.flush()
        else:
            MADE.append("global")

    def _may_act(self, value):
        if self.guard == 0 and value.size > self.limit:
            self.act()
        elif self.guard == 1:
            steps = 0
            while steps > 3:
                self.act()
                steps += 1
        elif self.guard == 2 and not np.isfinite(value).all():
            self.act()
        elif self.guard == 3:
            for _ in range(value.ndim - 2):
                self.act()

    def forward(self, x):
        self.x = x
        if self.place == "forward" and x.shape[0] > self.limit:
            self.act()
        return x @ self.W + self.b

    def backward(self, grad):
        if self.place == "backward":
            self._may_act(grad)
        self.dW = self.x.T @ grad
        self.db = 2 * grad.sum(axis=0)
        return grad @ self.W.T

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.folder is not None:
            self.log.close()

    def seen(self):
        """Return all that an effect would change."""
        files = {}
        if self.folder is not None:
            files = {path.name: path.read_text() for path in Path(self.folder).iterdir()}
        return files, list(self.called), list(MADE), os.environ.get("GRADCHECK_MADE")

    def unchanged(self):
        """Whether the world is as it was."""
        if self.folder is not None:
            self.log.flush()
        return self.seen() == self.before

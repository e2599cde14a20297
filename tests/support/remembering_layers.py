"""Layers that keep something somewhere, wherever Python lets them; their gradient is wrong."""

from __future__ import annotations

import array
import io
import logging
import random
import sys
import threading
import warnings
from collections import Counter, OrderedDict, deque
from typing import ClassVar

import numpy as np

NUMBER = 2.0
QUEUE = deque([1], maxlen=9)
NAMES = {1}
BYTES = bytearray(b"abcd")
NUMBERS = array.array("d", [1.0, 2.0])
ORDERED = OrderedDict(a=1)
COUNTS = Counter()
VIEW = memoryview(bytearray(8))
TEXT = io.StringIO()
MASKED = np.ma.array([1.0, 2.0, 3.0])
GENERATOR = np.random.default_rng(1)
LOCK = threading.Lock()


def everything():
    """Return what all the places below hold."""
    log = logging.getLogger("gradcheck.tests.remembering")
    globals_ = (
        NUMBER, list(QUEUE), set(NAMES), bytes(BYTES), NUMBERS.tolist(), dict(ORDERED),
        dict(COUNTS), VIEW.tobytes(), (TEXT.getvalue(), TEXT.tell()), MASKED.mask.tolist(),
        str(GENERATOR.bit_generator.state), LOCK.locked(),
    )  # fmt: skip
    of_classes = (
        Layer.calls, list(Layer.seen), dict(Layer.keep.__dict__), Defaults.keep.__defaults__[0][:],
        Keywords.keep.__kwdefaults__["found"].copy(), [*vars(Layer)],
    )  # fmt: skip
    of_process = (
        np.geterr(), np.get_printoptions()["precision"], sys.path[:], sys.getrecursionlimit(),
        list(warnings.filters), log.level, list(log.handlers), logging.root.manager.disable,
        random.getstate(), str(np.random.get_state()), id(sys.stdout),  # noqa: NPY002
    )  # fmt: skip
    return globals_, of_classes, of_process


class Layer:
    """A dense layer that counts something, and whose weights get twice their gradient."""

    calls = 0
    seen: ClassVar[list] = []

    def __init__(self):
        self.W = np.random.default_rng(0).normal(size=(4, 3))
        self.make()

    def make(self):
        """Make what an object keeps."""

    def keep(self):
        """Change something."""

    def forward(self, x):
        self.x, self.y = x, np.tanh(x @ self.W)
        self.keep()
        return self.y

    def backward(self, grad):
        d = grad * (1 - self.y**2)
        self.dW = 2 * self.x.T @ d
        return d @ self.W.T


class ClassAttribute(Layer):
    def keep(self):
        type(self).calls += 1
        Layer.calls += 1
        Layer.new = 1


class ClassList(Layer):
    def keep(self):
        Layer.seen.append(1)


class FunctionAttribute(Layer):
    def keep(self):
        Layer.keep.n = getattr(Layer.keep, "n", 0) + 1


class Defaults(Layer):
    def keep(self, found=[]):  # noqa: B006
        found.append(1)


class Keywords(Layer):
    def keep(self, *, found={}):  # noqa: B006
        found[len(found)] = 1


class Globals(Layer):
    def keep(self):
        global NUMBER
        NUMBER += 1
        QUEUE.append(2)
        NAMES.add(len(NAMES))
        BYTES[0] = (BYTES[0] + 1) % 256
        NUMBERS.append(3.0)
        ORDERED["b"] = 2
        COUNTS["a"] += 1
        VIEW[0] = (VIEW[0] + 1) % 256
        TEXT.write("x")
        MASKED[0] = np.ma.masked
        GENERATOR.random()


class Process(Layer):
    def keep(self):
        np.seterr(all="ignore")
        np.set_printoptions(precision=3)
        sys.path.append("/nowhere")
        sys.setrecursionlimit(sys.getrecursionlimit() + 1)
        warnings.filterwarnings("ignore", message="nothing")
        log = logging.getLogger("gradcheck.tests.remembering")
        log.addHandler(logging.NullHandler())
        log.setLevel(10)
        random.random()
        np.random.rand(3)  # noqa: NPY002


class Locked(Layer):
    def backward(self, grad):
        LOCK.acquire()
        back = super().backward(grad)
        LOCK.release()
        return back


class OwnContainers(Layer):
    def make(self):
        self.set, self.queue, self.bytes = {1}, deque(maxlen=3), bytearray(3)
        self.random, self.masked = random.Random(3), np.ma.array([1.0, 2.0], mask=[0, 1])

    def keep(self):
        self.set.add(len(self.set) + 1)
        self.queue.append(len(self.set))
        self.bytes[0] = len(self.set) % 200
        self.random.random()
        self.masked[0] = np.ma.masked


class Resized(Layer):
    def make(self):
        self.buffer = np.zeros(3)

    def keep(self):
        self.buffer.resize(len(self.buffer) + 1, refcheck=False)


class Slots:
    __slots__ = ("W", "__private", "dW", "n", "x", "y")

    def __init__(self):
        self.W, self.n, self.__private = np.random.default_rng(0).normal(size=(4, 3)), 0, 0

    def forward(self, x):
        self.x, self.n, self.__private = x, self.n + 1, self.__private + 1
        self.y = np.tanh(x @ self.W)
        return self.y

    def backward(self, grad):
        d = grad * (1 - self.y**2)
        self.dW = 2 * self.x.T @ d
        return d @ self.W.T


LAYERS = (
    ClassAttribute, ClassList, FunctionAttribute, Defaults, Keywords, Globals, Process, Locked,
    OwnContainers, Resized, Slots,
)  # fmt: skip


def of_object(layer):
    """Return what a layer itself holds."""
    names = getattr(layer, "__slots__", None) or vars(layer)
    mangled = [f"_Slots{name}" if name.startswith("__") else name for name in names]
    held = {name: getattr(layer, name) for name in mangled if hasattr(layer, name)}
    return {
        name: str(value.getstate()) if isinstance(value, random.Random) else repr(value)
        for name, value in held.items()
    }

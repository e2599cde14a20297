"""Runs a target's forward on traced arrays and keeps the recording."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gradcheck._types import Array, Outputs, Tensors
from gradcheck.checking.evaluator import Evaluator
from gradcheck.explain.trace.node import Node
from gradcheck.explain.trace.numpy_functions import apply_function, apply_ufunc
from gradcheck.explain.trace.traced_array import Tape, TracedArray, strip
from gradcheck.state import StateSnapshot

# A recording of more steps is no help: too many places could be wrong.
MOST_NODES = 6000

# Arrays are made by these, and by calling them the user's code would lose the recording.
MAKERS = ("zeros", "ones", "empty", "full", "zeros_like", "ones_like", "empty_like", "full_like")
TAKERS = ("array", "asarray", "asanyarray", "ascontiguousarray", "asfortranarray")

HERE = str(Path(__file__).parent)

# One thread after the other changes the functions; for others than its own they do what they did.
_patching = threading.Lock()
_recording: ContextVar[Tape | None] = ContextVar("recording", default=None)


@dataclass(frozen=True)
class BackwardOverride:
    """What a wrong backward does otherwise; nothing where all is None.

    Attributes
    ----------
    change
        ``(step, operand, gradient) -> gradient`` that is sent back to the operand, or None.
    gather
        ``(step, parts) -> parts`` that are added up of several uses of a value, the last one first.
    jump
        ``(step, gradient) -> (earlier step, gradient)`` where the way back skips the steps between.
    """

    change: Callable[[Node, int, Array], Array | None] | None = None
    gather: Callable[[Node, list[Array]], list[Array]] | None = None
    jump: Callable[[Node, Array], tuple[Node, Array] | None] | None = None

    def sent(self, node: Node, g: Array, on_the_way: set[int]) -> Iterator[tuple[Node, Array]]:
        """Yield what goes back from ``node`` to steps that are on the way, and where it goes."""
        landed = self.jump(node, g) if self.jump is not None else None
        if landed is not None:
            yield landed
            return
        for k, parent in enumerate(node.parents):
            if parent is not None and parent.number in on_the_way:
                share = self.change(node, k, g) if self.change is not None else node.pull(g, k)
                if share is not None:
                    yield parent, share


RIGHT = BackwardOverride()


@dataclass(frozen=True)
class Recording:
    """A recorded forward.

    Attributes
    ----------
    nodes
        All steps, in order.
    leaves
        The steps that stand for the tensors, by name.
    outputs
        The last steps, one for every output; None for one that depends on no tensor.
    ends
        Numbers of steps through which no gradient goes back.
    """

    nodes: list[Node]
    leaves: dict[str, Node]
    outputs: list[Node | None]
    ends: frozenset[int] = frozenset()
    _dependents: dict[int, set[int]] = field(default_factory=dict)

    def gradient(
        self, name: str, cotangents: Outputs, deviation: BackwardOverride = RIGHT
    ) -> Array:
        """Return the gradient of one tensor, every step of the way back being right but for one."""
        sent = [
            (node, np.asarray(cotangent, dtype=np.float64))
            for node, cotangent in zip(self.outputs, cotangents, strict=True)
            if node is not None
        ]
        return self.pull(sent, self.leaves[name], deviation)

    def pull(
        self, sent: list[tuple[Node, Array]], to: Node, deviation: BackwardOverride = RIGHT
    ) -> Array:
        """Return the gradient that arrives at ``to`` when gradients are sent from later steps."""
        on_the_way = self.depending_on(to)
        arrived: dict[int, list[Array]] = {}
        for node, g in sent:
            arrived.setdefault(node.number, []).append(g)
        for node in reversed(self.nodes[to.number : max(node.number for node, _ in sent) + 1]):
            parts = arrived.pop(node.number, None)
            if parts is None or node.number in self.ends:
                continue
            if deviation.gather is not None and len(parts) > 1:
                parts = deviation.gather(node, parts)
            g = parts[0] if len(parts) == 1 else sum(parts[1:], parts[0])
            if node is to:
                return np.array(g)
            for parent, share in deviation.sent(node, g, on_the_way):
                arrived.setdefault(parent.number, []).append(share)
        return np.zeros(to.value.shape)

    def depending_on(self, node: Node) -> set[int]:
        """Return the numbers of the steps that depend on a step, itself among them."""
        if node.number not in self._dependents:
            found = {node.number}
            for later in self.nodes[node.number + 1 :]:
                if later.number not in self.ends and any(
                    parent is not None and parent.number in found for parent in later.parents
                ):
                    found.add(later.number)
            self._dependents[node.number] = found
        return self._dependents[node.number]


def record(evaluator: Evaluator, tensors: Tensors) -> Recording | None:
    """Run the forward of a target on traced arrays; None where that cannot be followed."""
    tape = Tape(apply_ufunc, apply_function)
    leaves = {
        name: Node("leaf", np.array(v, dtype=np.float64), number=number, name=name)
        for number, (name, v) in enumerate(tensors.items())
    }
    tape.nodes += leaves.values()
    dtype = None if evaluator.target.replay is None else np.float64
    traced = {
        name: TracedArray.of(np.array(v, dtype=dtype), leaves[name], tape)
        for name, v in tensors.items()
    }
    try:
        with np.errstate(all="ignore"):
            outputs = _outputs(evaluator, traced, tape)
    except Exception:  # noqa: BLE001 (code never meant for such arrays may do anything)
        return None
    made = [tape.node_of(output) for output in outputs]
    if not any(made) or len(tape.nodes) > MOST_NODES:
        return None
    return Recording(tape.nodes, leaves, made)


def _outputs(evaluator: Evaluator, traced: Tensors, tape: Tape) -> Sequence[Any]:
    """Run the forward on traced arrays, or what stands for it where they are none of its kind."""
    target = evaluator.target
    state = target.state
    state.restore()
    if isinstance(state, StateSnapshot):
        # data.dot(weights) asks the data, which has to be traced, too, to hear of it
        state.put_instead(
            {id(a): TracedArray.of(a, None, tape) for a in state.arrays if _is_data(a)}
        )
    try:
        if target.replay is not None:
            evaluator.forwards += 1
            return target.replay(traced, tape.locate)
        with _recorded(tape):
            return evaluator.run_on(traced).outputs
    finally:
        state.restore()


@contextmanager
def _recorded(tape: Tape) -> Iterator[None]:
    """Let numpy make traced arrays while the user's forward runs, in this thread alone."""
    with _patching:
        originals = {name: getattr(np, name) for name in (*MAKERS, *TAKERS)}
        token = _recording.set(tape)
        try:
            for name in MAKERS:
                setattr(np, name, _maker(originals[name]))
            for name in TAKERS:
                setattr(np, name, _taker(originals[name], copies=name == "array"))
            yield
        finally:
            for name, original in originals.items():
                setattr(np, name, original)
            _recording.reset(token)


def _maker(original: Any) -> Any:
    def make(*args: Any, **options: Any) -> Any:
        tape, made = _recording.get(), original(*args, **options)
        if tape is None or isinstance(made, TracedArray) or made.dtype.kind != "f":
            return made
        if _asked_by_tape():
            return made
        return TracedArray.of(made, None, tape)

    return make


def _taker(original: Any, *, copies: bool) -> Any:
    def take(value: Any, *args: Any, **options: Any) -> Any:
        tape = _recording.get()
        if tape is None or _asked_by_tape():
            return original(value, *args, **options)
        dtype = args[0] if args else options.get("dtype")
        if dtype is not None and np.dtype(dtype).kind != "f":
            return original(strip(value), *args, **options)
        if isinstance(value, TracedArray):
            return np.copy(value) if copies else value
        if isinstance(value, list | tuple) and _holds_traced(value):
            return _stacked(value)
        made = original(value, *args, **options)
        if made.dtype.kind != "f":
            return made
        return TracedArray.of(made, tape.node_of(value), tape)

    return take


def _asked_by_tape() -> bool:
    """Whether the recording itself makes an array, which is to be a plain one."""
    return sys._getframe(2).f_code.co_filename.startswith(HERE)


def _stacked(values: Any) -> Any:
    """Return (nested) lists of traced numbers and arrays as one traced array."""
    return np.stack([_stacked(v) if isinstance(v, list | tuple) else v for v in values])


def _is_data(array: Array) -> bool:
    """Whether products may be taken with an array: whole numbers are indices, but in matrices."""
    return array.dtype.kind == "f" or (array.dtype.kind in "iu" and array.ndim > 1)


def _holds_traced(values: Sequence[Any]) -> bool:
    return any(
        isinstance(value, TracedArray) or (isinstance(value, list | tuple) and _holds_traced(value))
        for value in values
    )

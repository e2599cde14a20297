"""The way back of a gradient through the user's own forward, and what a wrong step makes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from gradcheck._types import Array
from gradcheck.checking.measurer import ROUNDINGS
from gradcheck.checking.tensor_verdict import MARGIN
from gradcheck.explain.catalogue import Bug
from gradcheck.explain.hypothesis import Hypothesis
from gradcheck.explain.observation import Observation
from gradcheck.explain.trace.node import Node, SourceLocation
from gradcheck.explain.trace.record import BackwardOverride, Recording, record
from gradcheck.numerics.blockwise import norm

# Steps that pick the largest or smallest, and what is rounding beside the gradient.
EXTREMES = ("maximum over axis", "minimum over axis")
IDLE = 1e-12

# Entries of a step that takes no longer than its bookkeeping.
SMALL_STEP = 4096

# Roundings of a walk back in float64, beside those of the analytic gradient.
WALK = 1e-10

# (step, operand, gradient) -> the gradient that is sent back to the operand; None sends nothing.
Change = Callable[[Node, int, Array], Array | None]


@dataclass(frozen=True)
class BackwardPass:
    """The steps between the outputs and one tensor.

    Attributes
    ----------
    observation, recording
        The analytic gradient, and the recorded forward.
    """

    observation: Observation
    recording: Recording

    @classmethod
    def of(cls, observation: Observation) -> BackwardPass | None:
        """Record the forward; None where that cannot be done, or gives no reason to look."""
        recording = record(observation.evaluator, observation.point.tensors)
        if recording is None or observation.name not in recording.leaves:
            return None
        if len(recording.outputs) != len(observation.point.cotangents):
            return None
        way = cls(observation, recording)
        return way if way._is_faithful() else None

    def _is_faithful(self) -> bool:
        """Whether the recording's gradient is the numerical one, and the analytic one is not."""
        for direction in self.observation.directions:
            measured = self.observation.numerical(direction)
            walked = float(np.sum(self.gradient * direction))
            allowed = MARGIN * measured.bound + WALK * norm(self.gradient, direction)
            if not abs(walked - measured.value) <= allowed:
                return False
        wrong = np.abs(self.observation.analytic - self.gradient) > self.bound
        return bool(np.isfinite(self.gradient).all() and wrong.any())

    @property
    def name(self) -> str:
        """The tensor."""
        return self.observation.name

    @cached_property
    def gradient(self) -> Array:
        """The right gradient."""
        return self.with_(BackwardOverride())()

    @cached_property
    def bound(self) -> Array:
        """Bound on the rounding of the analytic gradient, and of a walk."""
        return MARGIN * self.observation.rounding(ROUNDINGS * self.observation.eps + WALK)

    def with_(self, override: BackwardOverride) -> Callable[[], Array]:
        """Return what walks back as a backward would that does otherwise at some of the steps."""
        cotangents = self.observation.point.cotangents
        return partial(self.recording.gradient, self.name, cotangents, override)

    def through(self, end: Node, start: Node, g: Array) -> Array:
        """Return the gradient that arrives at an earlier step when one is sent from a later one."""
        return self.recording.pull([(end, g)], start)

    @cached_property
    def nodes(self) -> list[Node]:
        """The steps that depend on the tensor and that an output depends on, in order."""
        below = {node.number for node in self.recording.outputs if node is not None}
        for node in reversed(self.recording.nodes):
            if node.number in below:
                below |= {parent.number for parent in node.parents if parent is not None}
        on_the_way = self.recording.depending_on(self.recording.leaves[self.name]) & below
        return [node for node in self.recording.nodes if node.number in on_the_way]

    def without_idle(self) -> BackwardPass | None:
        """Return the way back without maxima that contribute nothing, as that of a softmax's shift.

        Nobody's backward goes through them: a wrong step above would send something there. None
        where there are none.
        """
        extremes = {n.number for n in self.nodes if n.op in EXTREMES}
        idle = replace(self.recording, ends=frozenset(extremes), _dependents={})
        without = replace(self, recording=idle)
        size = float(np.abs(self.gradient).max(initial=0.0))
        same = np.abs(without.gradient - self.gradient).max(initial=0.0) <= IDLE * size
        return without if extremes and same else None

    @cached_property
    def effort(self) -> int:
        """What one walk back costs, in steps on small arrays."""
        sizes = (sum(x.size for x in (node.value, *node.operands)) for node in self.nodes)
        return sum(1 + size // SMALL_STEP for size in sizes)

    @cached_property
    def steps(self) -> list[Step]:
        """The same steps by the expression that makes them; a loop makes many.

        An expression such as a mean or a softmax makes several of different kinds.
        """
        found: dict[tuple[SourceLocation, str], list[Node]] = {}
        for node in self.nodes:
            if node.site is not None:
                found.setdefault((node.site, node.op), []).append(node)
        return [Step(self, site, nodes) for (site, _), nodes in found.items()]

    def leads_here(self, node: Node, operand: int) -> bool:
        """Whether an operand of a step depends on the tensor."""
        parent = node.parents[operand]
        return parent is not None and parent.number in self._numbers

    def is_term_of_its_own(self, node: Node, operand: int) -> bool:
        """Whether an operand, such as a penalty, is made of this tensor and constants alone."""
        queue, leaves = [node.parents[operand]], set()
        while queue:
            step = queue.pop()
            if step is not None:
                queue += step.parents
                leaves |= {step.name} if step.op == "leaf" else set()
        return leaves == {self.name} and len(self.recording.leaves) > 1

    @cached_property
    def _numbers(self) -> set[int]:
        return {node.number for node in self.nodes}

    def uses(self, node: Node) -> list[Node]:
        """Return the steps on the way that use a value."""
        return self._users.get(node.number, [])

    @cached_property
    def _users(self) -> dict[int, list[Node]]:
        found: dict[int, list[Node]] = {}
        for node in self.nodes:
            for number in {parent.number for parent in node.parents if parent is not None}:
                found.setdefault(number, []).append(node)
        return found

    def rounds(self, nodes: list[Node]) -> list[list[Node]]:
        """Group the steps of one expression by how many others of it the gradient passed before.

        The first group is the last layer, or the last step in time, of every sample.
        """
        own = {node.number for node in nodes}
        passed: dict[int, int] = {}
        for node in reversed(self.nodes):
            passed[node.number] = max(
                (passed[user.number] + (user.number in own) for user in self.uses(node)), default=0
            )
        groups: dict[int, list[Node]] = {}
        for node in nodes:
            groups.setdefault(passed[node.number], []).append(node)
        return [groups[depth] for depth in sorted(groups)]


@dataclass(frozen=True)
class Step:
    """All evaluations of one expression of the forward."""

    way: BackwardPass
    site: SourceLocation
    nodes: list[Node]

    @property
    def first(self) -> Node:
        """The evaluation that stands for all of them where they are alike."""
        return self.nodes[0]

    @property
    def op(self) -> str:
        """What is done."""
        return self.first.op

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """Shapes of the operands."""
        return [x.shape for x in self.first.operands]

    def __str__(self) -> str:
        return str(self.site)

    def times(self) -> dict[str, list[Node]]:
        """Return all evaluations, and those of some layers or times alone, by when they are."""
        times = {"": self.nodes}
        rounds = self.way.rounds(self.nodes) if len(self.nodes) > 1 else []
        if len(rounds) > 1:
            times |= {
                ", but for the last time it is evaluated": [n for r in rounds[1:] for n in r],
                ", but for the first time it is evaluated": [n for r in rounds[:-1] for n in r],
                ", the last time it is evaluated": rounds[0],
                ", the first time it is evaluated": rounds[-1],
            }
        return times

    def wrong(
        self,
        code: Bug,
        message: str,
        fix: str,
        cost: float,
        change: Change,
        nodes: list[Node] | None = None,
        part: str = "",
    ) -> Hypothesis:
        """Return the hypothesis that the gradient goes back otherwise here, or at some nodes."""
        override = at(self.nodes if nodes is None else nodes, change)
        return Hypothesis(code, message, fix, cost, self.way.with_(override), part=part)


def label(node: Node, otherwise: str = "") -> str:
    """Name a tensor, or the expression that makes a value and where it stands."""
    return node.name or (otherwise if node.site is None else str(node.site))


def at(nodes: list[Node], change: Change) -> BackwardOverride:
    """Return what goes back otherwise at these nodes alone."""
    numbers = {node.number for node in nodes}

    def sent(node: Node, k: int, g: Array) -> Array | None:
        return change(node, k, g) if node.number in numbers else node.pull(g, k)

    return BackwardOverride(change=sent)


def with_operand(j: int, value: Callable[[Node], Array | None]) -> Change:
    """Return a change where the other operands' gradients use another value of operand ``j``."""

    def change(node: Node, k: int, g: Array) -> Array | None:
        pull, x = node.pulls[k], value(node)
        if k == j or pull is None:
            return node.pull(g, k)
        if x is None or x.shape != node.operands[j].shape:
            return None
        return pull(g, (*node.operands[:j], x, *node.operands[j + 1 :]), node.value)

    return change

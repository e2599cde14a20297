"""The way back of a gradient through the user's own forward, and all that can be wrong on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from gradcheck._types import Array
from gradcheck.explain.observation import Observation
from gradcheck.explain.trace import BackwardOverride, Node, Recording, SourceLocation

# Steps that pick the largest or smallest, and what is rounding beside the gradient.
EXTREMES = ("maximum over axis", "minimum over axis")
IDLE = 1e-12

# Entries of a step that takes no longer than its bookkeeping.
SMALL_STEP = 4096


@dataclass(frozen=True)
class Suspicion:
    """A step of the way back that may be wrong, and how.

    Attributes
    ----------
    code, message, fix, cost
        As of a `Part`.
    deviation
        What the backward would do otherwise.
    cuts
        Whether ``deviation`` leaves something out that may instead have come with a wrong factor.
    scaled
        Whether a constant factor may come on top, such as that of a mean over the samples.
    """

    code: str
    message: str
    fix: str
    cost: float
    deviation: BackwardOverride
    cuts: bool = False
    scaled: bool = False


@dataclass(frozen=True)
class BackwardPass:
    """The steps between the outputs and one tensor.

    Attributes
    ----------
    observation, recording
        The claim, and the recorded forward.
    """

    observation: Observation
    recording: Recording

    @property
    def name(self) -> str:
        """The tensor."""
        return self.observation.name

    @cached_property
    def right(self) -> Array:
        """The gradient."""
        return self.with_(BackwardOverride())

    def with_(self, deviation: BackwardOverride) -> Array:
        """Return what a backward with this deviation would claim."""
        return self.recording.gradient(self.name, self.observation.point.cotangents, deviation)

    @cached_property
    def nodes(self) -> list[Node]:
        """The steps that depend on the tensor and that an output depends on, in order."""
        leaf, ends = self.recording.leaves[self.name], self.recording.ends
        above = {leaf.number}
        for node in self.recording.nodes:
            if node.number not in ends and any(
                parent is not None and parent.number in above for parent in node.parents
            ):
                above.add(node.number)
        below = {node.number for node in self.recording.outputs if node is not None}
        for node in reversed(self.recording.nodes):
            if node.number in below:
                below |= {parent.number for parent in node.parents if parent is not None}
        on_the_way = above & below
        return [node for node in self.recording.nodes if node.number in on_the_way]

    def without_idle(self) -> BackwardPass:
        """Return the way back without maxima that contribute nothing, as that of a softmax's shift.

        Nobody's backward goes through them: a wrong step above would send something there.
        """
        extremes = {n.number for n in self.nodes if n.op in EXTREMES}
        idle = replace(self.recording, ends=frozenset(extremes), _dependents={})
        without = replace(self, recording=idle)
        size = float(np.abs(self.right).max(initial=0.0))
        same = extremes and np.abs(without.right - self.right).max(initial=0.0) <= IDLE * size
        return without if same else self

    @cached_property
    def effort(self) -> int:
        """What one walk back costs, in steps on small arrays."""
        sizes = (sum(x.size for x in (node.value, *node.operands)) for node in self.nodes)
        return sum(1 + size // SMALL_STEP for size in sizes)

    @cached_property
    def sites(self) -> dict[SourceLocation, list[Node]]:
        """The same steps by the expression that makes them; a loop makes many."""
        found: dict[SourceLocation, list[Node]] = {}
        for node in self.nodes:
            if node.site is not None:
                found.setdefault(node.site, []).append(node)
        return found

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


Search = Callable[[BackwardPass], Iterator[Suspicion]]

SEARCHES: list[Search] = []


def suspect(function: Search) -> Search:
    """Register a search: it yields the deviations of one kind that are worth trying."""
    SEARCHES.append(function)
    return function


def place(site: SourceLocation) -> str:
    """Name an expression and where it stands."""
    return f"`{site.text}` ({Path(site.file).name}:{site.line})"


def at(nodes: list[Node], change: Callable[[Node, int, Array], Array | None]) -> BackwardOverride:
    """Return a deviation at these steps alone."""
    numbers = {node.number for node in nodes}

    def sent(node: Node, k: int, g: Array) -> Array | None:
        return change(node, k, g) if node.number in numbers else node.pull(g, k)

    return BackwardOverride(change=sent)

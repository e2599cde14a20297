"""Targets one after the other as one target: the outputs of each are an input of the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradcheck._types import Array, Outputs, Tensors
from gradcheck.adapters.callable_target import with_shapes
from gradcheck.adapters.discovery.coverage import covered_by
from gradcheck.state import StateSnapshot
from gradcheck.target import ForwardRun, Target


@dataclass(frozen=True)
class Link:
    """One target of a chain.

    Attributes
    ----------
    prefix
        Before the names of its tensors, such as ``"layers[0]."``.
    target
        At the activations that reach it.
    entry
        Its tensor that is the output of the link before; empty where that has no gradient.
    """

    prefix: str
    target: Target
    entry: str

    def own(self) -> dict[str, str]:
        """Return its parameters by their name in the chain."""
        return {
            f"{self.prefix}{name}": name
            for name in self.target.tensors
            if self.target.role(name) != "input" and name != self.entry
        }


def joined(name: str, links: Sequence[Link]) -> Target:
    """Return the chain as one target; its input is that of the first link."""
    first = links[0]
    inputs = {n: v for n, v in first.target.tensors.items() if first.target.role(n) == "input"}
    own = {label: link.target.tensors[name] for link in links for label, name in link.own().items()}
    roles = {label: link.target.role(name) for link in links for label, name in link.own().items()}
    tensors = {**inputs, **own}

    def recast(dtype: type[np.floating[Any]]) -> Target | None:
        twins = [(link, link.target.cast(dtype)) for link in links]
        cast = [Link(link.prefix, twin, link.entry) for link, twin in twins if twin is not None]
        return joined(name, cast) if len(cast) == len(links) else None

    return Target.from_run(
        with_shapes(name, tensors),
        tensors,
        lambda at: _run(links, at),
        recast=recast,
        roles=roles,
        state=StateSnapshot.joined(link.target.state for link in links),
        unit_cotangent=links[-1].target.unit_cotangent,
        batch=first.target.batch,
        batch_tensors=first.target.batch_tensors if len(links[-1].target.batch_tensors) else (),
        uncovered=lambda _: tuple(
            array for link in links for array in covered_by(link.target, link.prefix)
        ),
    )


def _run(links: Sequence[Link], tensors: Tensors) -> ForwardRun:
    runs: list[ForwardRun] = []
    handed: dict[str, Array] = {}
    for position, link in enumerate(links):
        at = {**link.target.tensors, **{n: tensors[label] for label, n in link.own().items()}}
        if position == 0:
            at |= {name: value for name, value in tensors.items() if name in at}
        elif link.entry:
            at[link.entry] = runs[-1].outputs[0]
        runs.append(link.target.call(at))
        labels = {name: label for label, name in link.own().items()}
        labels |= {name: name for name in at if position == 0 and name not in labels}
        handed |= {labels[n]: value for n, value in runs[-1].handed.items() if n in labels}

    def pullback(cotangents: Outputs) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for position, (link, run) in reversed(list(enumerate(zip(links, runs, strict=True)))):
            gradients = run.pullback(cotangents)
            found |= {label: gradients[n] for label, n in link.own().items() if n in gradients}
            if position == 0:
                found |= {n: g for n, g in gradients.items() if n in tensors}
            elif link.entry not in gradients:
                break  # nothing is said of what comes before
            else:
                cotangents = (np.asarray(gradients[link.entry]),)
        return found

    return ForwardRun(runs[-1].outputs, pullback, handed)

"""Targets one after the other as one target: the outputs of each are an input of the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
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


def joined(name: str, links: Sequence[Link]) -> Target:
    """Return the chain as one target; its inputs are those of the first link."""
    first, last = links[0].target, links[-1].target
    labels = [_labels(link, is_first=link is links[0]) for link in links]
    pairs = list(zip(links, labels, strict=True))
    tensors = {label: link.target.tensors[n] for link, own in pairs for n, label in own.items()}
    roles = {label: link.target.role(n) for link, own in pairs for n, label in own.items()}

    def recast(dtype: type[np.floating[Any]]) -> Target | None:
        twins = [(link, link.target.cast(dtype)) for link in links]
        cast = [replace(link, target=twin) for link, twin in twins if twin is not None]
        return joined(name, cast) if len(cast) == len(links) else None

    return Target.from_run(
        with_shapes(name, tensors),
        tensors,
        lambda at: _run(pairs, at),
        recast=recast,
        roles=roles,
        state=StateSnapshot.joined(link.target.state for link in links),
        unit_cotangent=last.unit_cotangent,
        batch=first.batch,
        batch_tensors=first.batch_tensors if len(last.batch_tensors) else (),
        uncovered=lambda _: tuple(
            array for link in links for array in covered_by(link.target, link.prefix)
        ),
    )


def _labels(link: Link, *, is_first: bool) -> dict[str, str]:
    """Return what the chain calls the tensors of a link that are its own."""
    roles = {name: link.target.role(name) for name in link.target.tensors}
    return {
        name: name if role == "input" else f"{link.prefix}{name}"
        for name, role in roles.items()
        if is_first or (role != "input" and name != link.entry)
    }


def _run(pairs: Sequence[tuple[Link, dict[str, str]]], tensors: Tensors) -> ForwardRun:
    runs: list[ForwardRun] = []
    handed: dict[str, Array] = {}
    for link, own in pairs:
        at = link.target.tensors | {name: tensors[label] for name, label in own.items()}
        if runs and link.entry:
            at[link.entry] = runs[-1].outputs[0]
        runs.append(link.target.call(at))
        handed |= {own[n]: value for n, value in runs[-1].handed.items() if n in own}

    def pullback(cotangents: Outputs) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for (link, own), run in zip(reversed(pairs), reversed(runs), strict=True):
            gradients = run.pullback(cotangents)
            found |= {label: gradients[name] for name, label in own.items() if name in gradients}
            if link.entry not in gradients:
                break  # what comes before has no gradient
            cotangents = (np.asarray(gradients[link.entry]),)
        return found

    return ForwardRun(runs[-1].outputs, pullback, handed)

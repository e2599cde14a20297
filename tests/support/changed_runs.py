"""The same run written otherwise: changes of a history that leave its cause what it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from hypothesis import strategies as st

Curves = dict[str, list[float]]
Change = Callable[[Curves], Curves]

# Names that people give the four curves.
NAMES = (
    ("train_loss", "train_accuracy", "val_loss", "val_accuracy"),
    ("loss", "acc", "val_loss", "val_acc"),
    ("Training Loss", "Training Accuracy", "Validation Loss", "Validation Accuracy"),
    ("train/loss", "train/acc", "eval/loss", "eval/acc"),
    ("trn_loss", "trn_acc", "valid_loss", "valid_acc"),
)
ROLES = NAMES[0]


def length(curves: Curves) -> int:
    return max(map(len, curves.values()))


def leave_out(*names: str) -> Change:
    """Without some columns."""
    return lambda curves: {name: list(v) for name, v in curves.items() if name not in names}


def per_cent(curves: Curves) -> Curves:
    """Accuracies in per cent, if they are not."""
    fractions = {name for name in curves if "acc" in name.lower()}
    if any(max(curves[name]) > 1.5 for name in fractions):
        return curves
    return {
        name: [100 * x for x in values] if name in fractions else values
        for name, values in curves.items()
    }


def rename(names: Iterable[str]) -> Change:
    """The curves, which bear the names of `ROLES`, under other names."""
    new = dict(zip(ROLES, names, strict=True))
    return lambda curves: {new.get(name, name): values for name, values in curves.items()}


def add(name: str, column: Callable[[np.ndarray], np.ndarray]) -> Change:
    """One more column, a function of the time from 0 to 1."""
    return lambda curves: curves | {name: list(column(np.linspace(0, 1, length(curves))))}


def number(first: int, step: int = 1, name: str = "epoch") -> Change:
    """Rows numbered from ``first``, or by steps."""
    return lambda curves: {
        name: [float(first + step * i) for i in range(length(curves))],
        **curves,
    }


def digits(count: int) -> Change:
    """So many significant digits."""
    return lambda curves: {
        name: [float(f"{x:.{count}g}") for x in values] for name, values in curves.items()
    }


def repeat_row(share: float) -> Change:
    """One row logged twice, as by a resumed run, with its number."""

    def change(curves: Curves) -> Curves:
        numbered = number(1)(curves)
        at = min(int(share * length(curves)), length(curves) - 1)
        return {name: [*v[: at + 1], *v[at:]] for name, v in numbered.items()}

    return change


def go_on(rows: int, seed: int) -> Change:
    """More of the same: the level and the noise of the last rows, held."""

    def change(curves: Curves) -> Curves:
        rng = np.random.default_rng(seed)
        last = rng.integers(1, 4, rows)
        return {name: [*v, *(v[-int(i)] for i in last)] for name, v in curves.items()}

    return change


# These change nothing but the writing: the findings have to be the same, all of them.
WRITTEN_OTHERWISE: dict[str, st.SearchStrategy[Change]] = {
    "per cent": st.just(per_cent),
    "other names": st.sampled_from(NAMES).map(rename),
    "a learning rate": st.just(add("lr", lambda t: 0.1 + 0 * t)),
    "a time": st.just(add("time", lambda t: 100 * t + 3)),
    "a second metric": st.just(add("f1", lambda t: 0.2 + 0.5 * t)),
    "numbered from 0 or 1": st.integers(0, 1).map(number),
}
# These give or take information, or noise: the cause has to be the same, as far as it can be known.
KNOWN_OTHERWISE: dict[str, st.SearchStrategy[Change]] = {
    "columns left out": st.sets(st.sampled_from(ROLES), min_size=1, max_size=3).map(
        lambda names: leave_out(*names)
    ),
    "steps": st.sampled_from([10, 391]).map(lambda step: number(step, step, "step")),
    "three digits": st.just(digits(3)),
    "a row repeated": st.floats(0, 1).map(repeat_row),
    "more of the same": st.builds(go_on, st.integers(1, 12), st.integers(0, 99)),
}

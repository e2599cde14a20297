"""Which column is what: from the names people give their metrics to the roles of a history."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

ROLES = (
    "epoch",
    "step",
    "train_loss",
    "val_loss",
    "train_accuracy",
    "val_accuracy",
    "learning_rate",
    "gradient_norm",
)

VALIDATION = {"val", "valid", "validation", "eval", "evaluation", "dev", "holdout"}
VALIDATION |= {"test", "testing"}
TRAINING = {"train", "training", "tr", "trn"}
LOSS = {"loss", "losses", "nll", "xent", "ce", "crossentropy", "logloss", "mlogloss", "cost"}
# Losses of regression and of language models, metrics beside a column that is called a loss.
METRICS = {"mse", "rmse", "mae", "huber", "ppl", "perplexity"}
ACCURACY = {"accuracy", "accuracies", "acc", "accs", "accuracy_score"}
# scikit-learn's names for an accuracy, too vague to rank with the others
SCORE = {"score", "scores"}
# A column with one of these words is derived from a metric, or is another metric.
OTHERS = {"min", "max", "std", "sem", "runtime", "best", "top5", "top3", "top10", "per", "second"}
# Words that add nothing to the meaning of a metric's name.
FILLERS = {"epoch", "mean", "avg", "average", "total", "curve", "metrics", "metric", "top1", "the"}
FILLERS |= {"categorical", "sparse", "binary", "multi", "cross", "entropy", "multiclass", "running"}

T = TypeVar("T")


class Roles(Generic[T]):
    """The four curves that are judged, each under the name of its role."""

    def curve(self, role: str) -> T | None:
        """Return what plays a role, None when nothing does."""
        raise NotImplementedError

    @property
    def train_loss(self) -> T | None:
        """Training loss, or None."""
        return self.curve("train_loss")

    @property
    def val_loss(self) -> T | None:
        """Validation loss, or None."""
        return self.curve("val_loss")

    @property
    def train_accuracy(self) -> T | None:
        """Training accuracy as a fraction, or None."""
        return self.curve("train_accuracy")

    @property
    def val_accuracy(self) -> T | None:
        """Validation accuracy as a fraction, or None."""
        return self.curve("val_accuracy")


_JOINED = (
    (re.compile(r"cross_entropy|crossentropy"), "crossentropy"),
    (re.compile(r"log_loss"), "logloss"),
    (re.compile(r"top_?(\d+)"), r"top\1"),
    (re.compile(r"(acc|prec)_(\d+)(?=_|$)"), r"\1_top\2"),
    (re.compile(r"hold_out"), "holdout"),
    (re.compile(r"learning_rate|learningrate"), "lr"),
    (re.compile(r"gradient|grads?(?=_|$)"), "grad"),
)


def words(name: str) -> list[str]:
    """Split a column name: ``"valLoss"``, ``"Val Loss"`` and ``"val/loss"`` give val and loss."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip())
    snake = re.sub(r"[^a-z0-9]+", "_", snake.lower()).strip("_")
    for pattern, replacement in _JOINED:
        snake = pattern.sub(replacement, snake)
    return [word for word in snake.split("_") if word]


def is_axis(name: str) -> bool:
    """Return whether a column counts epochs or steps, or holds the learning rate."""
    return _axis_role(name, 0) is not None


def assign_roles(
    names: Iterable[str], counts: Mapping[str, int], overrides: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the column that plays each role.

    Parameters
    ----------
    names
        Column names in the order of the file.
    counts
        How many values each column holds; a single value among many rows is no curve.
    overrides
        Role to column, as given by the user; these are taken as they are.

    Returns
    -------
    dict
        Role to column name; roles that no column plays are absent.

    Raises
    ------
    ValueError
        An override names an unknown role or column.
    """
    names = list(names)
    chosen = _checked(overrides or {}, names)
    longest = max(counts.values(), default=0)
    curves = [name for name in names if counts[name] > 1 or longest <= 2]
    for role, candidates in _candidates(names, curves).items():
        free = [(penalty, name) for penalty, name in candidates if name not in chosen.values()]
        if free and role not in chosen:
            chosen[role] = min(free, key=lambda pair: pair[0])[1]
    _give_bare_accuracy_to_validation(chosen, overrides or {})
    return chosen


def rivals(
    names: Iterable[str], counts: Mapping[str, int], chosen: Mapping[str, str]
) -> dict[str, list[str]]:
    """Return, for each role that other columns could play as well, those columns."""
    names = list(names)
    curves = [name for name in names if counts[name] > 1]
    found = {}
    for role, candidates in _candidates(names, curves).items():
        penalty = {name: value for value, name in candidates}
        best = penalty.get(chosen.get(role, ""))
        others = [name for name, value in penalty.items() if value == best]
        if best is not None and len(others) > 1:
            found[role] = [name for name in others if name != chosen[role]]
    return found


def _checked(overrides: Mapping[str, str], names: list[str]) -> dict[str, str]:
    """The user's own choices, validated."""
    for role, name in overrides.items():
        if role not in ROLES:
            raise ValueError(f"columns: unknown role {role!r}; use one of {', '.join(ROLES)}")
        if name not in names:
            raise ValueError(f"columns[{role!r}]: no column {name!r}; found {', '.join(names)}")
    return dict(overrides)


def _candidates(names: list[str], curves: list[str]) -> dict[str, list[tuple[int, str]]]:
    """For each role the columns that could play it, with a penalty for each doubtful word."""
    found: dict[str, list[tuple[int, str]]] = {role: [] for role in ROLES}
    for position, name in enumerate(names):
        axis = _axis_role(name, position)
        if axis is not None:
            found[axis[0]].append((axis[1], name))
        elif name in curves:
            metric = _metric_role(name)
            if metric is not None:
                found[metric[0]].append((metric[1], name))
    return found


def _axis_role(name: str, position: int) -> tuple[str, int] | None:
    """The axis or the schedule that a column holds, with its penalty."""
    parts = words(name)
    if parts in (["epoch"], ["epochs"], ["epoche"], ["epoca"], ["ep"]):
        return "epoch", 0
    if position == 0 and (not parts or parts in (["unnamed", "0"], ["index"])):
        return "epoch", 1
    if parts in (["step"], ["steps"], ["iteration"], ["iter"], ["global", "step"]):
        return "step", len(parts)
    if "lr" in parts:
        return "learning_rate", len(parts)
    if parts[:2] in (["grad", "norm"], ["global", "grad"]) or parts == ["train", "grad", "norm"]:
        return "gradient_norm", len(parts)
    return None


def _metric_role(name: str) -> tuple[str, int] | None:
    """The curve that a column holds, with one penalty point for each word that is not plain."""
    parts = set(words(name))
    if parts & OTHERS:
        return None
    if parts & LOSS:
        metric, rest = "loss", parts - LOSS
    elif parts & METRICS:
        metric, rest = "loss", parts - METRICS | {"instead_of_a_loss"}
    elif parts & (ACCURACY | {"top1"}):
        metric, rest = "accuracy", parts - ACCURACY
    elif parts & SCORE:
        metric, rest = "accuracy", parts - SCORE | {"score"}
    else:
        return None
    split = "val" if rest & VALIDATION else "train"
    penalty = 3 * len(rest - VALIDATION - TRAINING - FILLERS - {"step"})
    penalty += 2 * ("step" in rest) + ("test" in rest) - ("total" in rest)
    return f"{split}_{metric}", penalty


def _give_bare_accuracy_to_validation(chosen: dict[str, str], overrides: Mapping[str, str]) -> None:
    """A bare accuracy beside ``train_loss`` is that of validation, as fastai logs it."""
    if "train_accuracy" in overrides or "val_accuracy" in chosen:
        return
    bare = not set(words(chosen.get("train_accuracy", "train"))) & TRAINING
    named = set(words(chosen.get("train_loss", ""))) & TRAINING
    if bare and named and "val_loss" in chosen:
        chosen["val_accuracy"] = chosen.pop("train_accuracy")

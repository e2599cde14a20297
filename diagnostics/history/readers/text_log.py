"""What a training loop prints: ``Epoch 3/10 - loss: 0.31 - val_loss: 0.42``, in any order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from diagnostics.history.column_roles import ACCURACY, LOSS, TRAINING, VALIDATION, words
from diagnostics.history.nested_dicts import split_of
from diagnostics.history.readers.source import Reader, Source
from diagnostics.history.table import Table, from_records

# A log is recognised by two lines with metrics among so many characters.
LOOKED_AT = 16_000
# Characters of a line that are read: each name of a metric in it is compared with all others.
LONGEST = 4_000
# Of a ratio such as 9402/10000 what counts is the share; 0,693 has a decimal comma.
_NUMBER = (
    r"\d+\s?/\s?\d+|[-+]?(?:\d+,\d+(?![\d.,])|\d+\.?\d*(?:e[-+]?\d+)?|\.\d+|nan\b|inf(?:inity)?\b)"
)
# A name of one to three words, a colon, an equals sign or blanks, and a number.
_WORD = r"[a-z][\w/.@-]*"
_PAIR = re.compile(
    rf"(?<![a-z])({_WORD}(?:[ _]{_WORD}){{0,2}}?)(?:\s*[:=]\s*|\s+)"
    rf"((?:{_NUMBER})(?:\s?%)?)(?![\w.]\w?)",
    re.IGNORECASE,
)
_EPOCH = re.compile(r"\bepoch\b\W*(\d+(?:\.\d+)?)|^\s*\[(\d+),\s*\d+\]", re.IGNORECASE)
_STEP = re.compile(r"\b(?:global_?step|step|iter|iteration)\b\W*(\d+)|^\s*\[(\d+)\]", re.IGNORECASE)
# Where in the training a line is; what is left of "Cost after iteration 100: 0.58" is "Cost: 0.58".
_PLACE = re.compile(
    r"(?:\b(?:after|at|in|for)\s+)?\b(?:global_?step|step|iter(?:ation)?|epoch)\b[\s:=#]*\d+",
    re.IGNORECASE,
)
# ``Epoch 3: 9402 / 10000``: so many right answers on the test set.
_COUNT = re.compile(r"^\s*epoch\s+\d+\s*:\s*(\d+\s*/\s*\d+)", re.IGNORECASE)
# Colours and deletions of a terminal, and a bar that is not yet full.
_TERMINAL = re.compile(r"\x1b?\[\d*(?:;\d+)*m|\x08")
_UNFINISHED = re.compile(r"\bETA\b:?\s")
# What else is said of metrics: "val_loss improved from 0.5 to 0.4".
REMARKS = {"improved", "improve", "best", "saving", "saved", "from", "than", "patience", "lowest"}
LOGGED = LOSS | ACCURACY | {"lr", "grad"}


def lines_of(text: str) -> Iterator[tuple[int, str]]:
    """Yield the numbered lines as a terminal would show them in the end."""
    lines = text.split("\n") if "\n" in text else text.split("\r")
    for number, line in enumerate(lines, start=1):
        # What stands before a carriage return was overwritten.
        parts = [part for part in line.split("\r") if part.strip()]
        if parts and not _UNFINISHED.search(parts[-1]):
            yield number, _TERMINAL.sub("", parts[-1]).replace("'s ", "_")


def metrics_of(line: str) -> dict[str, Any]:
    """Return the losses, accuracies and learning rates in a line, by name."""
    text = _PLACE.sub("", line[:LONGEST])
    if text.lstrip().startswith("*"):  # the summary of a validation in PyTorch's example
        text = f"val: {text}"
    pairs = [(m.start(), m[1].strip(" .-"), m[2]) for m in _PAIR.finditer(text)]
    named = [set(words(name)) for _, name, _ in pairs]
    found = {}
    for (start, name, number), said in zip(pairs, named, strict=True):
        if said & LOGGED and not said & REMARKS:
            found[_with_split(name, text[: start + len(name)], named)] = _value(number)
    count = _COUNT.search(line)
    if count and not found.keys() & {"accuracy"}:
        found["test accuracy"] = _value(count[1])
    return found


def _with_split(name: str, before: str, named: list[set[str]]) -> str:
    """``Acc`` as ``val Acc`` in a line that speaks of validation only: ``val Loss: 1 Acc: 2``."""
    if set(words(name)) & (TRAINING | VALIDATION | {"lr"}):
        return name
    said = re.findall(r"(?<![\w/])[a-z]+(?![\w/=])", before, re.IGNORECASE)
    splits = {word.lower() for word in said} & (TRAINING | VALIDATION)
    split = next(iter(splits)) if len(splits) == 1 else None
    last = words(name)[-1]
    taken = any(split in other and last in other for other in named)
    return name if split is None or taken else f"{split} {name}"


def _value(number: str) -> str | float:
    """A number as it stands, a ratio as its value."""
    if "/" in number:
        part, whole = (float(side) for side in number.rstrip("% ").split("/"))
        return part / whole if whole else float("nan")
    return number.replace(" ", "").replace(",", ".")


def _recognises(source: Source) -> bool:
    if source.is_binary or source.head.startswith(("{", "[{")):
        return False
    lines = lines_of(source.text[:LOOKED_AT])
    with_metrics = (number for number, line in lines if metrics_of(line))
    return len([number for number, _ in zip(with_metrics, range(2), strict=False)]) == 2


def _rows(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Lines with metrics, under the epoch and step last named."""
    place: dict[str, str] = {}
    for number, line in lines_of(text):
        for axis, pattern in (("epoch", _EPOCH), ("step", _STEP)):
            named = pattern.search(line)
            if named:
                place[axis] = next(group for group in named.groups() if group is not None)
        metrics = metrics_of(line)
        if metrics:
            yield number, {**place, **metrics}


def read(source: Source) -> Table:
    """Return one row for each line that holds a loss or an accuracy."""
    numbered = list(_rows(source.text))
    if any("epoch" in row for _, row in numbered):
        for _, row in numbered:
            row.pop("step", None)  # counts within an epoch
    sets = sorted({name for _, row in numbered for name in row if name.startswith("validation_")})
    sets = list(dict.fromkeys(name.partition("-")[0] for name in sets))
    rows = [{_renamed(name, sets): value for name, value in row.items()} for _, row in numbered]
    return from_records(rows, [number for number, _ in numbered])


def _renamed(name: str, sets: list[str]) -> str:
    """``validation_0-mlogloss`` of XGBoost under the name of the set it is."""
    data_set, mark, metric = name.partition("-")
    return f"{split_of(data_set, sets)}-{metric}" if mark and data_set in sets else name


READER = Reader("printed log", _recognises, read)

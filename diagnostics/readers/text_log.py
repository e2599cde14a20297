"""What a training loop prints: ``Epoch 3/10 - loss: 0.31 - val_loss: 0.42``, in any order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from diagnostics.columns import ACCURACY, LOSS, words
from diagnostics.readers.reader import Reader
from diagnostics.readers.source import Source
from diagnostics.table import Table, from_records

_NUMBER = r"[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|\.\d+|nan|inf)"
# A name of one to three words, a colon, an equals sign or blanks, and a number.
_PAIR = re.compile(
    rf"([a-z][\w/]*(?:[ _][a-z][\w/]*){{0,2}}?)\s*[:=]?\s*({_NUMBER}\s?%?)(?![\w.])", re.I
)
_EPOCH = re.compile(r"\bepoch\b\W*(\d+)", re.IGNORECASE)


def _metrics(line: str) -> dict[str, str]:
    """The losses and accuracies in a line, by name."""
    return {
        name.strip(): number.replace(" ", "")
        for name, number in _PAIR.findall(line)
        if set(words(name)) & (LOSS | ACCURACY)
    }


def _recognises(source: Source) -> bool:
    if source.is_binary or source.head.startswith(("{", "[{")):
        return False
    return sum(bool(_metrics(line)) for line in source.head.splitlines()) >= 2


def _rows(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Lines with metrics, under the epoch last named."""
    epoch: str | None = None
    for number, line in enumerate(re.split(r"[\r\n]+", text), start=1):
        named = _EPOCH.search(line)
        epoch = named.group(1) if named else epoch
        metrics = _metrics(line)
        if metrics:
            yield number, {"epoch": epoch, **metrics} if epoch is not None else metrics


def read(source: Source) -> Table:
    """Return one row for each line that holds a loss or an accuracy."""
    numbered = list(_rows(source.text))
    return from_records([row for _, row in numbered], [number for number, _ in numbered])


READER = Reader("printed log", _recognises, read)

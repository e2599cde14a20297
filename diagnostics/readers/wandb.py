"""A panel exported from Weights & Biases: columns ``run - metric`` with ``__MIN`` and ``__MAX``."""

from __future__ import annotations

from diagnostics.readers import delimited
from diagnostics.readers.reader import Reader
from diagnostics.readers.source import Source
from diagnostics.table import Table

_SEPARATOR = " - "


def _recognises(source: Source) -> bool:
    header = delimited.header_of(source)
    return header is not None and any(_SEPARATOR in n and n.endswith("__MIN") for n in header[0])


def read(source: Source) -> Table:
    """Return the run with the most values under plain metric names, other runs as they stand."""
    table = delimited.read(source)
    filled = {n: int((~mask).sum()) for n, mask in table.blank.items() if _SEPARATOR in n}
    if not filled:
        return table
    run = max(filled, key=lambda name: filled[name]).rsplit(_SEPARATOR, 1)[0]
    runs = {name.rsplit(_SEPARATOR, 1)[0] for name in filled}
    plain = Table(text=table.text, notes=table.notes, problems=table.problems)
    for name, values in table.columns.items():
        owner, _, metric = name.rpartition(_SEPARATOR)
        plain.add(metric if owner == run else name, values, table.blank[name])
    if len(runs) > 1:
        plain.notes.append(f"{len(runs)} runs in the file, the longest taken: {run!r}")
    return plain


READER = Reader("Weights & Biases export", _recognises, read)

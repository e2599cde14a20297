"""One JSON object for each row: a JSON list, or JSON Lines."""

from __future__ import annotations

import json
from typing import Any

from diagnostics.readers.reader import Reader
from diagnostics.readers.source import Source
from diagnostics.table import Problem, Table, from_records


def _is_list(source: Source) -> bool:
    content = source.json
    return isinstance(content, list) and any(isinstance(item, dict) for item in content)


def read_list(source: Source) -> Table:
    """Return one row for each object of the list."""
    return from_records(_flat(item) for item in source.json if isinstance(item, dict))


def _is_lines(source: Source) -> bool:
    return not source.is_binary and source.head.startswith("{")


def read_lines(source: Source) -> Table:
    """Return one row for each line that is a JSON object; other lines are problems."""
    records, lines, problems = [], [], []
    for number, line in enumerate(source.text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            problems.append(Problem(f"not JSON ({error})", number))
            continue
        if isinstance(record, dict):
            records.append(_flat(record))
            lines.append(number)
        else:
            problems.append(Problem(f"expected a JSON object, got {line.strip()[:40]}", number))
    table = from_records(records, lines)
    table.problems[:0] = problems
    return table


def _flat(record: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """``{"train": {"loss": 1}}`` as ``{"train/loss": 1}``."""
    flat: dict[str, Any] = {}
    for key, value in record.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}/")
        else:
            flat[f"{prefix}{key}"] = value
    return flat


LIST_READER = Reader("list of records (JSON)", _is_list, read_list)
LINES_READER = Reader("JSON Lines", _is_lines, read_lines)

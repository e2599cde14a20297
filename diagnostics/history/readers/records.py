"""One dictionary for each row: a JSON list, JSON Lines, or lines that Python printed."""

from __future__ import annotations

from typing import Any

from diagnostics.history.readers.damaged_files import read_damaged
from diagnostics.history.readers.source import Reader, Source, read_record
from diagnostics.history.table import Problem, Table, from_records


def _is_list(source: Source) -> bool:
    content = source.json
    return isinstance(content, list) and any(isinstance(item, dict) for item in content)


def read_list(source: Source) -> Table:
    """Return one row for each object of the list."""
    return from_records(_flat(item) for item in source.json if isinstance(item, dict))


def read_lines(source: Source) -> Table:
    """Return one row for each line that is a dictionary; other lines are problems."""
    records, lines, others = [], [], []
    problems = []
    for number, line in enumerate(source.text.split("\n"), start=1):
        # A progress bar may stand before the record, in the same line.
        text = line.rsplit("\r", 1)[-1] if line.rstrip("\r").count("\r") else line.rstrip("\r")
        if not text.strip():
            continue
        record = read_record(text)
        if record is not None:
            records.append(_flat(record))
            lines.append(number)
        elif text.lstrip().startswith("{"):
            problems.append(_damaged(text, number))
        else:
            others.append(number)
    if others:
        what = f"{len(others)} lines that are no records left out, the first of them"
        problems.append(Problem(what, others[0]))
    # The closing summary of a Hugging Face Trainer is no step.
    steps = [i for i, record in enumerate(records) if "train_runtime" not in record]
    table = from_records([records[i] for i in steps], [lines[i] for i in steps])
    table.problems[:0] = problems
    return table


def _damaged(line: str, number: int) -> Problem:
    """What is wrong with a line that begins as a record."""
    _, problems = read_damaged(line)
    what = problems[0].message.partition(";")[0] if problems else "no record of single values"
    position = problems[0].position if problems else 1
    return Problem(f"{what}; the line is left out", number, position=position)


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
LINES_READER = Reader("JSON Lines", lambda s: not s.is_binary and s.has_records, read_lines)

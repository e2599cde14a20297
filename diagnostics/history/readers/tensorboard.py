"""TensorBoard event files, read without TensorFlow: TFRecord frames of protocol buffers.

Only scalars are decoded. Sources: ``tensorflow/core/lib/io/record_writer.h`` (frames),
``event.proto``, ``summary.proto`` and ``tensor.proto`` (field numbers); the wire format is that of
the Protocol Buffers documentation, "Encoding".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from diagnostics.history.column_roles import TRAINING, VALIDATION
from diagnostics.history.readers.source import Reader, Source
from diagnostics.history.table import Problem, Table, from_records

# Frame: length (8 bytes), checksum of it (4), data, checksum of these (4).
HEADER, FOOTER = 12, 4
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


def _frames(data: bytes) -> Iterator[bytes]:
    """The records of the file; a last one cut short is left out."""
    position = 0
    while position + HEADER <= len(data):
        (length,) = struct.unpack_from("<Q", data, position)
        start = position + HEADER
        if start + length + FOOTER > len(data):
            raise EOFError
        yield data[start : start + length]
        position = start + length + FOOTER


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Field number and value of each field of a message."""
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        kind = key & 7
        if kind == VARINT:
            value, position = _varint(data, position)
            yield key >> 3, value
            continue
        if kind == BYTES:
            length, position = _varint(data, position)
        else:
            length = {FIXED64: 8, FIXED32: 4}[kind]
        yield key >> 3, data[position : position + length]
        position += length


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """A number in groups of seven bits, the lowest first, and the position after it."""
    value = shift = 0
    while True:
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position


def _scalars(event: bytes) -> Iterator[tuple[int, str, float]]:
    """Step, tag and value of each scalar of an Event (step = 2, summary = 5; its values = 1)."""
    fields = list(_fields(event))
    step = next((value for number, value in fields if number == 2), 0)
    for number, summary in fields:
        if number != 5 or not isinstance(summary, bytes):
            continue
        for _, message in _fields(summary):
            value = dict(_fields(message))
            number_found = _value(value)
            if 1 in value and number_found is not None:
                yield step, value[1].decode("utf-8", "replace"), number_found


def _value(value: dict[int, Any]) -> float | None:
    """Simple value (field 2), or a tensor (field 8) of one float."""
    if isinstance(value.get(2), bytes) and len(value[2]) == 4:
        return float(struct.unpack("<f", value[2])[0])
    if not isinstance(value.get(8), bytes):
        return None
    tensor = dict(_fields(value[8]))
    content = tensor.get(4) or tensor.get(5)  # tensor_content, float_val
    if tensor.get(1) != 1 or not isinstance(content, bytes) or len(content) != 4:  # DT_FLOAT = 1
        return None
    return float(struct.unpack("<f", content)[0])


def read(source: Source) -> Table:
    """Return one column for each tag; a folder ``train`` or ``validation`` goes into the name."""
    folder = source.path.parent.name.lower()
    prefix = f"{folder}/" if folder in TRAINING | VALIDATION else ""
    rows: dict[int, dict[str, float]] = {}
    problems = []
    try:
        for frame in _frames(source.data):
            for step, tag, value in _scalars(frame):
                rows.setdefault(step, {"step": step})[prefix + tag] = value
    except (EOFError, IndexError, KeyError, TypeError):
        problems.append(Problem("the file is damaged or cut short, what stands before was read"))
    table = from_records(rows[step] for step in sorted(rows))
    table.problems.extend(problems)
    return table


# The first frame of every event file names the version, ``brain.Event:2``.
READER = Reader("TensorBoard events", lambda s: b"brain.Event:" in s.data[:64], read)

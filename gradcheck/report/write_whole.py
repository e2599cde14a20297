"""Files that are written whole or not at all, so that a full disk leaves the earlier one."""

from __future__ import annotations

from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside the one of this name, which it replaces when nothing is missing.

    Raises
    ------
    OSError
        If it cannot be written; a file of this name is then as it was.
    """
    beside = path.with_name(f".{path.name}.part")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)

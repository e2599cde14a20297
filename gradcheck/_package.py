"""Which code is none of the user's: what lies below this folder, or belongs to these packages."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent

# The packages of this project that user code may be wrapped in, as `checked` wraps functions.
OWN_PACKAGES = frozenset({FOLDER.name, "gradcheck_arguments"})

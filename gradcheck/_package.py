"""Where this package lies: code below this folder is none of the user's."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent

"""The trained runs as one small file: written by the script, read by the table."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

Curves = dict[str, list[float]]
# The parts of the corpus.
TUNED, HELD, FRESH = "tuned", "held out", "fresh"
OTHER, UNSEEN = "other code", "other code, unseen"
STRANGE = "strangers"

PATH = Path(__file__).with_name("histories.json.gz")
# As training logs print them.
SIGNIFICANT_DIGITS = 6


@dataclass(frozen=True)
class Labelled:
    """A run with the right answers about it; those without codes must only not be alarmed."""

    name: str
    part: str
    injected: str
    cause: str
    codes: tuple[str, ...]
    curves: Curves

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong with the run."""
        return self.cause == "healthy"


def rounded(curves: Curves) -> Curves:
    """Return the curves with the digits that a log has."""
    return {
        name: [float(f"{value:.{SIGNIFICANT_DIGITS}g}") for value in values]
        for name, values in curves.items()
    }


def save(runs: Iterable[Labelled], path: Path = PATH) -> None:
    """Write all runs; the same runs give the same bytes."""
    text = json.dumps([asdict(run) for run in runs], separators=(",", ":"))
    path.write_bytes(gzip.compress(text.encode(), mtime=0))


def read(path: Path = PATH) -> list[Labelled]:
    """Return all runs."""
    runs = json.loads(gzip.decompress(path.read_bytes()))
    return [Labelled(**run | {"codes": tuple(run["codes"])}) for run in runs]

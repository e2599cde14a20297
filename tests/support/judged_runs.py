"""The training runs of ``benchmarks.runs`` with their reports, made once a process."""

import gzip
import json
from functools import cache

from diagnostics import diagnose
from tests.support import ROOT

CORPUS = ROOT / "benchmarks" / "runs" / "histories.json.gz"


@cache
def judged_runs():
    """Return every run with its report."""
    runs = json.loads(gzip.decompress(CORPUS.read_bytes()))
    return [(run, diagnose(run["curves"])) for run in runs]

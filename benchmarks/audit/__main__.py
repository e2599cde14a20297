"""Audit the gradients of other libraries: ``python -m benchmarks.audit``, about half an hour.

Every operator that turns out to be a function of one variable, others held, is asked for its
gradient at ordinary points, at small integers, near them and far out. It is judged by the
derivative of its own float64 values, with the engine's bound, and by a formula where one is known.
Each library is audited in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.audit import table
from benchmarks.audit.formats import FORMATS
from benchmarks.audit.libraries import LIBRARIES


def main(argv: Sequence[str] | None = None) -> int:
    options = _options(argv)
    audits = []
    for name in options.libraries:
        print(f"{name} ...", file=sys.stderr, flush=True)
        answer = audit(name, options.dtypes, options.ops, options.seconds)
        if isinstance(answer, str):
            print(f"{name}: not audited. {answer}")
        else:
            audits.append(answer)
    print("\n".join(table.counts(audits, options.dtypes)))
    for confirmed, title in ((True, "Disagreements"), (False, "Not confirmed by a second truth")):
        print(f"\n{title}\n")
        print("\n".join(table.disagreements(audits, confirmed)))
    for each in audits:
        if each["late"]:
            print(f"\nnot all in time: {each['library']} {', '.join(each['late'])}")
        for line in each["ours"]:
            print(f"\nan error of the engine: {each['library']} {line}")
    if options.json:
        Path(options.json).write_text(json.dumps(audits, indent=1))
    return int(any(each["ours"] for each in audits))


def audit(name: str, dtypes: Sequence[str], pattern: str, seconds: int) -> dict[str, Any] | str:
    """Return the audit of one library; why there is none where its process failed."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.audit.worker", name,
               ",".join(dtypes), pattern, str(seconds)]  # fmt: skip
    quiet = {"JAX_PLATFORMS": "cpu", "MPLBACKEND": "Agg"}
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | quiet)
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["no message"])[-1]
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.audit", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--libraries", nargs="+", choices=list(LIBRARIES), default=list(LIBRARIES))
    parser.add_argument("--dtypes", nargs="+", choices=list(FORMATS), default=list(FORMATS))
    parser.add_argument("--ops", default="", metavar="PATTERN", help="a regular expression")
    parser.add_argument("--seconds", type=int, default=60, help="for one operator, at most")
    parser.add_argument("--json", metavar="FILE", help="everything that disagrees, to a file")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())

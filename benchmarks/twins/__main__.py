"""How often the name and the line of a bug are told, by dialect.

``python -m benchmarks.twins [--only DIALECT ...] [--layers NAME ...] [--every N] [--show]``

Every layer is checked right and with each of its slips, from one source that is rendered in NumPy,
as an autograd function of torch and as a ``custom_vjp`` of JAX. Each dialect is a process of its
own, two at a time.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.twins.answer import Answer
from benchmarks.twins.layers import LAYERS
from benchmarks.twins.render import RENDERS

AT_ONCE = 2


def answers(dialect: str, every: int, names: Iterable[str]) -> list[Answer]:
    """Return what is answered in a dialect."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.twins.answer", dialect, folder, str(every), *names],
            stdout=subprocess.PIPE, check=True, text=True,
        )  # fmt: skip
    return [Answer(**json.loads(line)) for line in done.stdout.splitlines() if line[:1] == "{"]


def table(found: dict[str, list[Answer]]) -> None:
    print(
        f"{'':<8}{'right':>7}{'pass':>7}{'wrong':>7}{'found':>7}{'name':>8}{'edit':>8}{'line':>8}"
        f"{'median':>9}{'90 %':>8}"
    )
    for dialect, given in found.items():
        right, wrong = ([a for a in given if bool(a.slip) is bad] for bad in (False, True))
        failed = [a for a in wrong if a.verdict == "FAIL"]
        passed = sum(a.verdict == "PASS" for a in right)
        shares = [
            sum(getattr(a, what) for a in wrong) / len(wrong)
            for what in ("right_name", "right_edit", "right_line")
        ]
        middle, late = np.quantile([a.seconds for a in failed] or [np.nan], (0.5, 0.9))
        print(
            f"{dialect:<8}{len(right):>7}{passed:>7}{len(wrong):>7}{len(failed):>7}"
            f"{''.join(f'{share:>8.1%}' for share in shares)}{middle:>7.2f} s{late:>6.2f} s"
        )


def worse(found: dict[str, list[Answer]]) -> None:
    """Print the layers to which another dialect's answer is worse than NumPy's."""
    for dialect in [name for name in found if name != "numpy"]:
        print(f"\n{dialect} worse than numpy")
        for ours, theirs in zip(found["numpy"], found[dialect], strict=True):
            lost = [
                what
                for what, before, now in (
                    ("verdict", ours.verdict, theirs.verdict == ours.verdict),
                    ("name", ours.right_name, theirs.right_name),
                    ("edit", ours.right_edit, theirs.right_edit),
                    ("line", ours.right_line, theirs.right_line),
                )
                if before and not now
            ]
            if lost:
                print(f"{ours.layer}, {ours.slip or 'right'}: {', '.join(lost)}")
                print(f"    numpy {ours.verdict} {ours.told}\n    {dialect} {theirs.verdict} "
                      f"{theirs.told}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", nargs="+", choices=list(RENDERS), default=list(RENDERS))
    parser.add_argument("--layers", nargs="+", choices=[layer.name for layer in LAYERS], default=[])
    parser.add_argument("--every", type=int, default=1, help="take one slip of so many of a layer")
    parser.add_argument("--show", action="store_true", help="where a dialect is worse than NumPy")
    parser.add_argument("--keep", type=Path, help="file to keep all answers in, as JSON")
    given = parser.parse_args()
    ask = partial(answers, every=given.every, names=given.layers)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = dict(zip(given.only, pool.map(ask, given.only), strict=True))
    if given.keep:
        kept = {dialect: [vars(a) for a in every] for dialect, every in found.items()}
        given.keep.write_text(json.dumps(kept, indent=1))
    table(found)
    if given.show and "numpy" in found:
        worse(found)


if __name__ == "__main__":
    main()

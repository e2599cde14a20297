"""Train the first runs of the corpus and write them; `other_code` and `strangers` add theirs."""

from __future__ import annotations

from collections import Counter

from benchmarks.runs.faults import cases
from benchmarks.runs.labels import Facts, label
from benchmarks.runs.store import PATH, Labelled, rounded, save
from benchmarks.runs.training import train


def main() -> None:
    """Write the corpus and print what is in it."""
    runs = []
    for case in cases():
        curves, truth = train(case.setup)
        setup = case.setup
        facts = Facts(case.cause, setup.source.classes, setup.epochs, setup.weight_decay)
        said = label(facts, curves, truth)
        runs.append(
            Labelled(case.name, case.part, case.cause, said.cause, said.codes, rounded(curves))
        )
    save(runs)
    print(f"{len(runs)} runs, {PATH.stat().st_size / 1e6:.2f} MB")
    for cause, count in Counter(run.cause for run in runs).most_common():
        told = sum(bool(run.codes) for run in runs if run.cause == cause)
        print(f"{cause:<32}{count:>5}  curves can tell: {told}")


if __name__ == "__main__":
    main()

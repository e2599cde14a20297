"""Failures that are expected, each for a reason: the rest of a report is judged without them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from gradcheck.report.causes import walk
from gradcheck.report.report import Report
from gradcheck.report.wording import joined
from gradcheck_arguments import checked


@checked
def apart_from(report: Report, xfail: Mapping[str, str]) -> Report:
    """Return what is left of a report to judge, beside the failures that are expected.

    Parameters
    ----------
    report
        Of a check.
    xfail
        The reason by name: of a tensor (``"b"``, also ``"db"``), of one of a part
        (``"layers[0].b"``) or of a promise.

    Raises
    ------
    ValueError
        If there is nothing of a name, or no reason.
    AssertionError
        If something passes that is expected to fail.
    """
    outcomes: dict[str, bool] = {}
    for path, name, ok in _judged(report):
        place = joined(path, name)
        outcomes[place] = outcomes.get(place, True) and ok
    names = {_known(name, outcomes): name for name in xfail}
    for name, reason in xfail.items():
        if not reason.strip():
            raise ValueError(f"xfail[{name!r}]={reason!r}: expected the reason, in words")
    passed = [f"{names[n]} ({xfail[names[n]]})" for n in names if outcomes[n]]
    if passed:
        raise AssertionError(
            f"expected to fail, but right: {', '.join(passed)}; take it out of xfail\n\n{report}"
        )
    notes = (f"{given} is expected to fail: {xfail[given]}" for given in names.values())
    rest = _without(report, names.keys())
    return replace(rest, notes=(*rest.notes, *notes))


def is_right(rest: Report) -> bool:
    """Whether all passed that is left to judge, if anything is."""
    return rest.ok or not (rest.judged or any(array.is_owed for array in rest.unchecked))


def _judged(report: Report) -> Iterator[tuple[str, str, bool]]:
    """Yield everything that is judged: its path, its name, and whether it is right."""
    for path, part in walk(report):
        yield from ((path, name, tensor.ok) for name, tensor in part.tensors.items())
        yield from ((path, name, bool(p.holds)) for name, p in part.contract.items())
        yield from ((path, array.name, False) for array in part.unchecked if array.is_owed)


def _known(name: str, outcomes: Mapping[str, bool]) -> str:
    """Return the name of what is meant: that of a gradient stands for its tensor."""
    path, dot, own = name.rpartition(".")
    for known in (name, f"{path}{dot}{own.removeprefix('d')}"):
        if known in outcomes:
            return known
    raise ValueError(f"xfail={{{name!r}: ...}}: expected one of {', '.join(outcomes)}")


def _without(report: Report, names: Collection[str], path: str = "") -> Report:
    def kept(name: str) -> bool:
        return joined(path, name) not in names

    explanations = (
        replace(e, tensors=tuple(filter(kept, e.tensors)))
        for e in report.explanations
        if any(map(kept, e.tensors or (e.support.promise,)))
    )
    return replace(
        report,
        tensors={name: tensor for name, tensor in report.tensors.items() if kept(name)},
        contract={name: promise for name, promise in report.contract.items() if kept(name)},
        unchecked=tuple(array for array in report.unchecked if kept(array.name)),
        explanations=tuple(explanations),
        parts={n: _without(part, names, joined(path, n)) for n, part in report.parts.items()},
        points={n: _without(point, names, path) for n, point in report.points.items()},
    )

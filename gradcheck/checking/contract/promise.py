"""The registry of promises: a name, whether a breach is a fault, and how it is measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gradcheck.checking.contract.shared_runs import Scene
from gradcheck.checking.linearization import Lab
from gradcheck.report.data import PromiseReport


@dataclass(frozen=True)
class Finding:
    """What one promise's measurement gave: kept or not (None: not measurable), and the numbers."""

    holds: bool | None
    evidence: str


Measure = Callable[[Scene], Finding]
_PROMISES: dict[str, tuple[bool, Measure]] = {}


def promise(name: str, *, required: bool) -> Callable[[Measure], Measure]:
    """Register a promise; the function measures it on a `Scene`."""

    def register(measure: Measure) -> Measure:
        _PROMISES[name] = (required, measure)
        return measure

    return register


def check_contract(lab: Lab, wishes: Mapping[str, str] | None = None) -> dict[str, PromiseReport]:
    """Measure every promise.

    Parameters
    ----------
    lab
        The layer at its point.
    wishes
        ``{"batch_independent": "require"}`` makes a fact a requirement; ``"report"`` the reverse.

    Raises
    ------
    ValueError
        If a name in ``wishes`` is no promise, or its wish is unknown.
    """
    wishes = dict(wishes or {})
    for name, wish in wishes.items():
        if name not in _PROMISES or wish not in ("require", "report"):
            raise ValueError(
                f"contract={{{name!r}: {wish!r}}}: expected one of {sorted(_PROMISES)} mapped to "
                "'require' or 'report'"
            )
    scene = Scene(lab)
    reports = {}
    for name, (required, measure) in _PROMISES.items():
        must = wishes[name] == "require" if name in wishes else required
        try:
            finding = measure(scene)
        except Exception as error:  # noqa: BLE001 (a stranger's layer may raise anything)
            finding = Finding(None, f"the layer raised {type(error).__name__}: {error}")
        reports[name] = PromiseReport(name, finding.holds, must, finding.evidence)
    return reports

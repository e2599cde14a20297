"""The registry of promises: a name, whether a breach is a fault, and how it is measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gradcheck.checking.contract.shared_runs import SharedRuns
from gradcheck.checking.linearization import CheckContext
from gradcheck.report.data import PromiseReport


@dataclass(frozen=True)
class PromiseResult:
    """What one promise's measurement gave: kept or not (None: not measurable), and the numbers."""

    holds: bool | None
    evidence: str


Measure = Callable[[SharedRuns], PromiseResult]
_PROMISES: dict[str, tuple[bool, Measure]] = {}


def promise(name: str, *, required: bool) -> Callable[[Measure], Measure]:
    """Register a promise; the function measures it on a `SharedRuns`."""

    def register(measure: Measure) -> Measure:
        _PROMISES[name] = (required, measure)
        return measure

    return register


def check_contract(
    context: CheckContext, requirements: Mapping[str, str] | None = None
) -> dict[str, PromiseReport]:
    """Measure every promise.

    Parameters
    ----------
    context
        The layer at its point.
    requirements
        ``{"batch_independent": "require"}`` makes a fact a requirement; ``"report"`` the reverse.

    Raises
    ------
    ValueError
        If a name in ``requirements`` is no promise, or its wish is unknown.
    """
    requirements = dict(requirements or {})
    for name, requirement in requirements.items():
        if name not in _PROMISES or requirement not in ("require", "report"):
            raise ValueError(
                f"contract={{{name!r}: {requirement!r}}}: expected one of {sorted(_PROMISES)} "
                "mapped to 'require' or 'report'"
            )
    runs = SharedRuns(context)
    reports = {}
    for name, (required, measure) in _PROMISES.items():
        must = requirements[name] == "require" if name in requirements else required
        try:
            finding = measure(runs)
        except Exception as error:  # noqa: BLE001 (a stranger's layer may raise anything)
            finding = PromiseResult(None, f"the layer raised {type(error).__name__}: {error}")
        reports[name] = PromiseReport(name, finding.holds, must, finding.evidence)
    return reports

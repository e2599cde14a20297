"""What a layer owes besides right numbers: promises, each measured and reported.

A breach of a required promise is a fault. A breach of the others is noted: whether it is a fault
depends on the layer (batch-norm couples its samples by right).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from gradcheck.checking.base_run import BaseRun
from gradcheck.checking.context import CheckContext
from gradcheck.checking.contract import reported, required
from gradcheck.checking.contract.holomorphic import holomorphic
from gradcheck.checking.contract.shared_runs import PromiseResult, SharedRuns
from gradcheck.numerics.real_parts import all_complex, whole_names
from gradcheck.report.data import PromiseReport

# A breach of these is noted: whether it is a fault depends on the layer.
REPORTED: dict[str, Callable[[SharedRuns], PromiseResult]] = {
    "batch_independent": reported.batch_independent,
    "dtypes": reported.dtypes,
    "deterministic": reported.deterministic,
    "backward_repeatable": reported.backward_repeatable,
    "memory_layout": reported.memory_layout,
    "gradients_not_aliased": reported.gradients_not_aliased,
    "empty_batch": partial(reported.batch_of, size=0),
    "single_sample": partial(reported.batch_of, size=1),
}
# A breach of these is a fault.
REQUIRED: dict[str, Callable[[SharedRuns], PromiseResult]] = {
    "reproducible": required.reproducible,
    "input_not_mutated": partial(required.not_mutated, role="input"),
    "parameters_not_mutated": partial(required.not_mutated, role="parameter"),
    "cotangent_not_mutated": required.cotangent_not_mutated,
    "shapes": required.shapes,
    "finite": required.finite_gradients,
    "fresh_cache": required.fresh_cache,
    "backward_linear": required.backward_linear,
}
PROMISES = REPORTED | REQUIRED


def check_contract(
    context: CheckContext,
    requirements: Mapping[str, str] | None = None,
    base: BaseRun | None = None,
) -> dict[str, PromiseReport]:
    """Measure every promise, those of the target's own form last.

    Parameters
    ----------
    context
        The layer at its point.
    requirements
        ``{"batch_independent": "require"}`` makes a breach a fault; ``"report"`` the reverse.
    base
        The run at the point, where the layer has not been changed since; made once more where None.

    Raises
    ------
    ValueError
        If a name in ``requirements`` is no promise, or is mapped to something else.
    """
    requirements = dict(requirements or {})
    own = context.promises
    measures: dict[str, Callable[[], PromiseResult | None]] = {**_usual(context, base), **own}
    for name, requirement in requirements.items():
        if name not in measures or requirement not in ("require", "report"):
            raise ValueError(
                f"contract={{{name!r}: {requirement!r}}}: expected one of {sorted(measures)} "
                "mapped to 'require' or 'report'"
            )
    reports = {}
    for name, measure in measures.items():
        usually = name in REQUIRED or name in own
        must = requirements[name] == "require" if name in requirements else usually
        try:
            result = measure()
            if result is None:
                continue
            holds, measurement = result
        except Exception as error:  # noqa: BLE001 (the user's layer may raise anything)
            holds, measurement = None, f"the layer raised {type(error).__name__}: {error}"
        reports[name] = PromiseReport(name, holds, must, measurement)
    return reports


def _usual(context: CheckContext, base: BaseRun | None) -> dict[str, Callable[[], PromiseResult]]:
    """Return the promises that everything makes, and what is to be said of complex functions."""
    runs = SharedRuns(context, base)
    known = PROMISES
    target = context.native.target
    if whole_names(target.tensors) and all_complex(target.imaginary):
        known = {**known, "holomorphic": holomorphic}
    return {name: partial(measure, runs) for name, measure in known.items()}

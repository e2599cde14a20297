"""check(): from a layer to a verdict on every tensor, with the bug's name where there is one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from gradcheck.adapters import as_target, network
from gradcheck.contract import check_contract
from gradcheck.explain import explain_contract, explain_tensor
from gradcheck.explain.solve import Alternative
from gradcheck.explain.story import agree, tell
from gradcheck.judgement import Judgement
from gradcheck.localize import wrong_entries
from gradcheck.point import Lab
from gradcheck.report import Report
from gradcheck.result import Entry, Explanation, TensorReport, TensorReports, Verdict
from gradcheck.target import Outputs, Target, TargetError
from gradcheck.verdict import comparable, decide

Mode = Literal["auto", "project", "element"]
Explainer = Callable[[Lab, str, tuple[Entry, ...]], list[Alternative]]

WIDENED = "the layer computes in low precision: the numbers were measured in float64"


def check(
    target: Any,
    *inputs: Any,
    params: Any = None,
    cotangent: Any = None,
    tensors: Iterable[str] | None = None,
    mode: Mode = "auto",
    tolerance: float | None = None,
    contract: bool | Mapping[str, str] = True,
    explain: bool = True,
    seed: int = 0,
) -> Report:
    """Check the gradients of a layer, loss or function against numerical derivatives.

    Parameters
    ----------
    target
        Anything `as_target` recognises: an object with forward and backward, a pair of functions,
        a function returning its own gradient, a `Target`.
    *inputs
        The inputs at which to check; integer arrays are taken for indices.
    params
        Parameters to check, where they cannot be discovered: a dict or list of arrays.
    cotangent
        Gradient of the loss with respect to the output, shaped like it; random where None.
    tensors
        Names of the tensors to check; all where None.
    mode
        ``"project"`` judges along random directions, at a cost that does not grow with the size of
        a tensor; ``"element"`` measures every entry; ``"auto"`` projects and then looks for the
        wrong entries of what failed.
    tolerance
        None: judged against the numerical derivative's own error bound. A number: relative errors
        up to it are accepted, and the report says what would have failed.
    contract
        Whether to check the layer's other promises; a dict such as
        ``{"batch_independent": "require"}`` says which of them are required.
    explain
        Whether to look for the bug that would produce the error.
    seed
        Of all random choices: the same seed gives the same report.

    Returns
    -------
    Report
        ``report.ok`` is True only if every verdict is PASS.

    Raises
    ------
    TargetError
        If ``target`` is not recognised; the message says what would make it work.
    ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> import gradcheck
    >>> report = gradcheck.check((lambda x: np.sum(x**3), lambda x: 3 * x**2), np.arange(4.0))
    >>> report.ok
    True
    """
    _validate(mode, tolerance)
    subject = as_target(target, *inputs, params=params)
    layers = {
        name: check(
            layer,
            *given,
            mode=mode,
            tolerance=tolerance,
            contract=False,
            explain=explain,
            seed=seed,
        )
        for name, layer, given in network.parts(target, inputs)
    }
    guilty = any(report.verdict is Verdict.FAIL for report in layers.values())
    with subject.state.guarded():
        lab = Lab(subject, seed, _given_cotangents(subject, cotangent))
        names = _chosen(lab, tensors)
        explainer = explain_tensor if explain and not guilty else None
        report = Checker(lab, mode, tolerance, explainer).report(names, contract, seed)
    return replace(report, parts=layers, explanations=_blame(report, layers))


def _blame(report: Report, layers: Mapping[str, Report]) -> tuple[Explanation, ...]:
    """Put what is wrong in single layers before what is wrong with the whole."""
    of_layers = [
        replace(e, tensor=f"{name}.{e.tensor}" if e.tensor else name)
        for name, layer in layers.items()
        for e in layer.explanations
    ]
    return (*of_layers, *report.explanations)


def assert_gradients(target: Any, *inputs: Any, **options: Any) -> Report:
    """Check as `check` does, and raise with the whole story unless everything passes.

    Returns
    -------
    Report
        The report, when it passes.

    Raises
    ------
    AssertionError
        If a verdict is FAIL or UNDECIDED; its message is the report.
    """
    __tracebackhide__ = True
    report = check(target, *inputs, **options)
    if not report.ok:
        raise AssertionError(f"\n{report}")
    return report


def _validate(mode: str, tolerance: float | None) -> None:
    if mode not in ("auto", "project", "element"):
        raise ValueError(f"mode={mode!r}: expected 'auto', 'project' or 'element'")
    if tolerance is not None and not 0 <= tolerance < 1:
        raise ValueError(f"tolerance={tolerance!r}: expected a relative error in [0, 1), or None")


class Checker:
    """Judges the tensors of a lab and puts the report together.

    Parameters
    ----------
    lab
        Where claims are heard and numbers are measured.
    mode, tolerance
        As for `check`.
    explainer
        Names the bugs behind a wrong gradient; None to leave it.
    """

    def __init__(
        self, lab: Lab, mode: Mode, tolerance: float | None, explainer: Explainer | None
    ) -> None:
        self.lab = lab
        self.target = lab.native.target
        self.mode = mode
        self.tolerance = tolerance
        self.explainer = explainer

    def report(self, names: Iterable[str], contract: bool | Mapping[str, str], seed: int) -> Report:
        """Judge every tensor, then the contract, then explain what failed."""
        reports = TensorReports({name: self._judge(name) for name in names})
        wishes = contract if isinstance(contract, Mapping) else None
        promises = check_contract(self.lab, wishes) if contract is not False else {}
        causes: list[Explanation] = []
        if self.explainer is not None:
            failed = [name for name, report in reports.items() if report.verdict is Verdict.FAIL]
            found = agree(
                {name: self.explainer(self.lab, name, reports[name].worst) for name in failed}
            )
            for name in failed:
                reports[name] = replace(reports[name], explanations=found[name])
            causes = explain_contract(promises)
        notes: tuple[str, ...] = (WIDENED,) if self.lab.widened else ()
        unclaimed = [name for name in self.target.tensors if name not in reports]
        silent = [name for name in unclaimed if name not in self.lab.base.claimed]
        if silent:
            notes += (f"not checked: backward gave no gradient of {', '.join(silent)}",)
        if not reports:
            raise TargetError(
                f"{self.target.name}: backward gave no gradient of {', '.join(unclaimed)}, so that "
                "there is nothing to check. Return the gradients, or leave them where "
                "gradcheck.as_target finds them: grads['W'], layer.dW, layer.grad_W"
            )
        return Report(
            self.target.name, reports, promises, tuple(tell(causes, reports)), seed, notes
        )

    def _judge(self, name: str) -> TensorReport:
        spent = self.lab.forwards, self.lab.backwards
        value = self.target.tensors[name]
        report = TensorReport(
            name,
            value.shape,
            str(value.dtype),
            self.target.role(name),
            Verdict.PASS,
            claimed=self.lab.base.claimed.get(name),
        )
        point, fault = comparable(self.lab.base, name, value)
        judgement = self._tolerated(fault or decide(self.lab, point, name))
        report = replace(
            report,
            verdict=judgement.verdict,
            reason=judgement.reason,
            relative_error=judgement.relative_error,
            error_bound=judgement.error_bound,
            resolution=judgement.resolution,
            notes=tuple(judgement.notes),
        )
        wanted = self.mode == "element" or (self.mode == "auto" and report.verdict is Verdict.FAIL)
        if wanted and fault is None:
            entries, numerical = wrong_entries(self.lab, point, name)
            report = replace(report, worst=entries, numerical=numerical)
            if entries and report.verdict is Verdict.PASS and self.tolerance is None:
                report = replace(
                    report, verdict=Verdict.FAIL, reason=f"{len(entries)} entries wrong"
                )
        return replace(
            report,
            forwards=self.lab.forwards - spent[0],
            backwards=self.lab.backwards - spent[1],
        )

    def _tolerated(self, judgement: Judgement) -> Judgement:
        if self.tolerance is None or judgement.verdict is not Verdict.FAIL:
            return judgement
        if judgement.relative_error <= self.tolerance:
            judgement.verdict = Verdict.PASS
            judgement.notes.append(
                f"accepted by tolerance={self.tolerance:g}; without it: FAIL, {judgement.reason}"
            )
            judgement.reason = ""
        return judgement


def _chosen(lab: Lab, tensors: Iterable[str] | None) -> list[str]:
    target = lab.native.target
    if tensors is None:
        # an input without a claim, such as a loss's targets, is none of the layer's business
        return [
            name
            for name in target.tensors
            if name in lab.base.claimed or target.role(name) == "parameter"
        ]
    names = [tensors] if isinstance(tensors, str) else list(tensors)
    unknown = [name for name in names if name not in target.tensors]
    if unknown:
        raise ValueError(f"tensors={unknown}: {target.name} has {list(target.tensors)}")
    return names


def _given_cotangents(target: Target, cotangent: Any) -> Outputs | None:
    """Bring the user's cotangent into the shape and dtype of the outputs."""
    if cotangent is None:
        return None
    outputs = target.call(target.tensors).outputs
    given = cotangent if isinstance(cotangent, tuple | list) else (cotangent,)
    if len(given) != len(outputs):
        raise ValueError(f"cotangent: {len(given)} given for {len(outputs)} outputs")
    arrays = []
    for v, y in zip(given, outputs, strict=True):
        array = np.asarray(v, dtype=y.dtype)
        if array.shape != y.shape:
            raise ValueError(f"cotangent of shape {array.shape} given for an output of {y.shape}")
        arrays.append(array)
    return tuple(arrays)

"""Running a suite: pins first, then a search for a counterexample, shrunk to the smallest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from gradcheck.properties.assertions import FunctionRaisedError, PropertyViolationError
from gradcheck.properties.function_under_test import FunctionUnderTest, quiet
from gradcheck.properties.profile import choose_effort
from gradcheck.properties.property import Inputs, Property, Result, Status
from gradcheck.properties.registry import Suite
from gradcheck.properties.registry import suite as find_suite
from gradcheck.properties.search import CounterexampleSearch
from gradcheck.properties.snippet import rerun, snippet
from gradcheck.properties.suite_report import SuiteReport, failure_lines


def run_properties(
    suite: str | Suite,
    fn: Any,
    *,
    profile: str | None = None,
    examples: int | None = None,
    seed: int | None = None,
    only: Iterable[str] | None = None,
    skip: Iterable[str] | None = None,
    expected_failures: Mapping[str, str] | None = None,
    on_result: Callable[[Result], None] | None = None,
    **options: Any,
) -> SuiteReport:
    """Try the properties of a suite on a function and report which hold.

    Parameters
    ----------
    suite
        ``"softmax"``, ``"log_softmax"``, ``"loss"``, ``"activation"``, ``"layer"``,
        ``"optimizer"``, or a `Suite` of your own.
    fn
        The function (or object) under test.
    profile
        ``"dev"`` (25 inputs per property, others in every run), ``"ci"`` (100, the same in every
        run) or ``"thorough"`` (1000, others in every run). When not given, the environment
        variable ``GRADCHECK_PROFILE`` or the profile that Hypothesis has loaded is followed; where
        there is neither, as for ``"ci"``.
    examples
        Inputs tried per property, besides the pinned ones, instead of the profile's number.
    seed
        The same seed tries the same inputs; the report names the one that was used.
    only, skip
        Names of the properties to run, or to leave out.
    expected_failures
        Known failures with their reasons, ``{name: reason}``. One that passes after all is reported
        as unexpectedly passed, so that the list does not outlive its reasons.
    on_result
        Called with each `Result` as it comes.
    **options
        Options of the suite, such as ``axis=0``, ``kind="logits"`` or ``backward=my_vjp``.

    Returns
    -------
    SuiteReport
        Printable; ``.ok``, ``.results``, ``.raise_if_failed()``, ``.to_json()``.

    Raises
    ------
    ValueError
        If a suite, property or profile is not known; near matches are listed.

    Examples
    --------
    >>> import numpy as np
    >>> def softmax(x):
    ...     e = np.exp(x - x.max())
    ...     return e / e.sum()
    >>> report = run_properties("softmax", softmax, only=["rows_sum_to_one"])
    >>> report.results[0].status.value
    'failed'
    """
    found = find_suite(suite)
    expected = dict(expected_failures or {})
    chosen, skipped = found.chosen(only, skip, expected)
    search = CounterexampleSearch(effort := choose_effort(profile, examples, seed))
    with quiet():
        subject = found.subject(fn, options)
        detected = subject.detected
    results = []
    for prop in found.properties:
        if prop.name in chosen:
            examination = SuiteRun(found.name, prop, subject, options)
            result = _against_expectation(examination.run(search), expected)
        elif prop.name in skipped:
            result = Result(prop.name, Status.SKIPPED, "asked to be left out")
        else:
            continue
        results.append(result)
        if on_result is not None:
            on_result(result)
    call = rerun(found.name, fn, options, effort)
    return SuiteReport(
        found.name, subject.name, tuple(results), detected, effort.examples, effort.seed, call
    )


def assert_property(
    suite: str | Suite,
    name: str,
    fn: Any,
    *,
    options: Mapping[str, Any] | None = None,
    **inputs: Any,
) -> None:
    """Check one property at one input; no search, so it may stand inside a ``@given`` of yours.

    Raises
    ------
    PropertyViolationError
        If the property does not hold there.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.special import softmax
    >>> assert_property("softmax", "rows_sum_to_one", softmax, x=np.array([[0.0], [0.0]]))
    """
    found = find_suite(suite)
    prop = found[name]
    subject = found.subject(fn, options or {})
    missing = next(filter(None, map(subject.missing, prop.needs)), "")
    if missing:
        raise ValueError(f"{name} cannot be checked: {missing}")
    prop.check(subject, **inputs)


def parametrize_with_properties(
    suite: str | Suite,
    fn: Any,
    *,
    profile: str | None = None,
    examples: int | None = None,
    seed: int | None = None,
    only: Iterable[str] | None = None,
    skip: Iterable[str] | None = None,
    expected_failures: Mapping[str, str] | None = None,
    **options: Any,
) -> pytest.MarkDecorator:
    """Return a ``pytest.mark.parametrize`` of the argument ``check``, one per property.

    Parameters
    ----------
    suite, fn, profile, examples, seed, only, skip, **options
        As for `run_properties`.
    expected_failures
        ``{name: reason}``: those tests are marked ``xfail(strict=True)``.

    Examples
    --------
    >>> from scipy.special import softmax
    >>> @parametrize_with_properties("softmax", softmax)
    ... def test_softmax(check):
    ...     check()
    """
    import pytest

    found = find_suite(suite)
    expected = dict(expected_failures or {})
    chosen, _ = found.chosen(only, skip, expected)
    search = CounterexampleSearch(choose_effort(profile, examples, seed))

    def param(name: str) -> Any:
        marks = [pytest.mark.xfail(reason=expected[name], strict=True)] if name in expected else []
        return pytest.param(_check(found, name, fn, search, options), id=name, marks=marks)

    return pytest.mark.parametrize("check", [param(name) for name in chosen])


def _check(
    suite: Suite, name: str, fn: Any, search: CounterexampleSearch, options: Mapping[str, Any]
) -> Callable[[], None]:
    def check() -> None:
        __tracebackhide__ = True
        import pytest

        with quiet():
            subject = suite.subject(fn, options)
        examination = SuiteRun(suite.name, suite[name], subject, options)
        result = examination.run(search)
        if result.status is Status.SKIPPED:
            pytest.skip(result.message)
        if result.status is not Status.PASSED:
            call = rerun(suite.name, fn, options, search.effort, only=[name])
            raise AssertionError(f"{name}: {result.message}\n  rerun     {call}")

    check.gradcheck = True  # type: ignore[attr-defined]  # by which the plugin knows it
    return check


class SuiteRun:
    """One property tried on one subject, remembering the last input at which it failed."""

    def __init__(
        self, suite: str, prop: Property, subject: FunctionUnderTest, options: Mapping[str, Any]
    ) -> None:
        self.suite = suite
        self.prop = prop
        self.subject = subject
        self.options = options
        self.tried = 0
        self.failing: Inputs = {}

    def run(self, search: CounterexampleSearch) -> Result:
        """Try pins and drawn inputs; return how it came out."""
        with quiet():
            return self._run(search)

    def _run(self, search: CounterexampleSearch) -> Result:
        missing = next(filter(None, map(self.subject.missing, self.prop.needs)), "")
        if missing:
            return Result(self.prop.name, Status.SKIPPED, missing)
        try:
            for pin in self.prop.pins:
                self.check_at(pin)
            if self.prop.inputs is not None:
                search.run(self.prop.inputs, self.prop.inputs(self.subject), self.check_at)
        except PropertyViolationError as violation:
            return self._failed(Status.FAILED, violation)
        except FunctionRaisedError as error:
            return self._failed(Status.ERRORED, PropertyViolationError(str(error)))
        return Result(self.prop.name, Status.PASSED, examples=self.tried)

    def check_at(self, inputs: Inputs) -> None:
        """Check one input."""
        self.tried += 1
        try:
            self.prop.check(self.subject, **inputs)
        except (PropertyViolationError, FunctionRaisedError):
            self.failing = inputs
            raise

    def _failed(self, status: Status, violation: PropertyViolationError) -> Result:
        """Return the result; a cause found by experiment goes before one the property suggests."""
        parts = {"property": self.prop.description, **violation.parts}
        hint = parts.pop("cause")
        proven = self.subject.likely_cause(self.prop)
        parts |= {"cause": proven} if proven else {"perhaps": hint}
        parts = {label: text for label, text in parts.items() if text}
        code = snippet(self.suite, self.prop.name, self.subject.fn, self.failing, self.options)
        message = "\n".join(failure_lines(violation.headline, parts, code))
        return Result(self.prop.name, status, message, code, self.tried, parts)


def _against_expectation(result: Result, expected: Mapping[str, str]) -> Result:
    if result.name not in expected or result.status is Status.SKIPPED:
        return result
    reason = expected[result.name]
    if result.status is Status.PASSED:
        message = f"expected to fail ({reason}) but passed; remove it from expected_failures"
        return Result(result.name, Status.UNEXPECTEDLY_PASSED, message, examples=result.examples)
    return Result(result.name, Status.EXPECTED, reason, result.counterexample, result.examples)


if TYPE_CHECKING:
    import pytest

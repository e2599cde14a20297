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
from gradcheck_arguments import Count, Seed, checked

if TYPE_CHECKING:
    import pytest


@checked
def run_properties(
    suite: str | Suite,
    fn: Any,
    *,
    profile: str | None = None,
    examples: Count | None = None,
    seed: Seed | None = None,
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
        Printable; ``.ok``, ``.results``, ``.raise_if_failed()``, ``.to_json()``. After Ctrl-C, the
        results by then, with ``.interrupted`` True.

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
    chosen, skipped = found.chosen(only, skip, list(expected))
    search = CounterexampleSearch(effort := choose_effort(profile, examples, seed))
    with quiet():
        subject = found.subject(fn, options)
        detected = subject.detected
    results: list[Result] = []
    interrupted = False
    try:
        for prop in found.properties:
            if prop.name in chosen:
                outcome = _outcome(found, prop, subject, options, search)
                result = _against_expectation(outcome, expected)
            elif prop.name in skipped:
                result = Result(prop.name, Status.SKIPPED, "asked to be left out")
            else:
                continue
            results.append(result)
            if on_result is not None:
                on_result(result)
    except KeyboardInterrupt:
        interrupted = True
    return SuiteReport(
        found.name,
        subject.name,
        tuple(results),
        detected,
        effort.examples,
        effort.seed,
        rerun(found.name, fn, options, effort),
        interrupted,
    )


@checked
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


@checked
def parametrize_with_properties(
    suite: str | Suite,
    fn: Any,
    *,
    profile: str | None = None,
    examples: Count | None = None,
    seed: Seed | None = None,
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
    chosen, _ = found.chosen(only, skip, list(expected))
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
        result = _outcome(suite, suite[name], subject, options, search)
        if result.status is Status.SKIPPED:
            pytest.skip(result.message)
        if result.status is not Status.PASSED:
            call = rerun(suite.name, fn, options, search.effort, only=[name])
            raise AssertionError(f"{name}: {result.message}\n  rerun     {call}")

    check.gradcheck = True  # type: ignore[attr-defined]  # by which the plugin knows it
    return check


@quiet()
def _outcome(
    suite: Suite,
    prop: Property,
    subject: FunctionUnderTest,
    options: Mapping[str, Any],
    search: CounterexampleSearch,
) -> Result:
    """Try pins and drawn inputs of one property; return how it came out."""
    if missing := next(filter(None, map(subject.missing, prop.needs)), ""):
        return Result(prop.name, Status.SKIPPED, missing)
    tried = 0
    failing: Inputs = {}

    def check(inputs: Inputs) -> None:
        nonlocal tried, failing
        tried += 1
        try:
            prop.check(subject, **inputs)
        except (PropertyViolationError, FunctionRaisedError):
            failing = inputs
            raise

    try:
        for pin in prop.pins:
            check(pin)
        if prop.inputs is not None:
            search.run(prop.inputs, prop.inputs(subject), check)
    except PropertyViolationError as error:
        status, violation = Status.FAILED, error
    except FunctionRaisedError as error:
        status, violation = Status.ERRORED, PropertyViolationError(str(error))
    else:
        return Result(prop.name, Status.PASSED, examples=tried)
    parts = {"property": prop.description, **violation.parts}
    hint, proven = parts.pop("cause"), subject.likely_cause(prop)
    # a cause found by experiment goes before one that the property suggests
    parts |= {"cause": proven} if proven else {"perhaps": hint}
    parts = {label: text for label, text in parts.items() if text}
    code = snippet(suite.name, prop.name, subject.fn, failing, options)
    message = "\n".join(failure_lines(violation.headline, parts, code))
    return Result(prop.name, status, message, code, tried, parts)


def _against_expectation(result: Result, expected: Mapping[str, str]) -> Result:
    if result.name not in expected or result.status is Status.SKIPPED:
        return result
    reason = expected[result.name]
    if result.status is Status.PASSED:
        message = f"expected to fail ({reason}) but passed; remove it from expected_failures"
        return Result(result.name, Status.UNEXPECTEDLY_PASSED, message, examples=result.examples)
    return Result(result.name, Status.EXPECTED, reason, result.counterexample, result.examples)

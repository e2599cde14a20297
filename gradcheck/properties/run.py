"""Running a suite: pins first, then a search for a counterexample, shrunk to the smallest."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gradcheck.properties.registry import Inputs, Property, Suite
from gradcheck.properties.registry import suite as find_suite
from gradcheck.properties.report import Result, Status, SuiteReport
from gradcheck.properties.snippet import snippet
from gradcheck.properties.subject import Subject
from gradcheck.properties.violation import FunctionRaisedError, PropertyViolationError

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


def run_properties(
    suite: str | Suite,
    fn: Any,
    *,
    examples: int = 100,
    seed: int = 0,
    only: Iterable[str] | None = None,
    skip: Iterable[str] | None = None,
    expected_failures: Mapping[str, str] | None = None,
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
    examples
        Inputs tried per property, besides the pinned ones.
    seed
        The same seed tries the same inputs.
    only, skip
        Names of the properties to run, or to leave out.
    expected_failures
        Known failures with their reasons, ``{name: reason}``. One that passes after all is reported
        as unexpectedly passed, so that the list does not outlive its reasons.
    **options
        Options of the suite, such as ``axis=0``, ``kind="logits"`` or ``backward=my_vjp``.

    Returns
    -------
    SuiteReport
        Printable; ``.ok``, ``.results``, ``.raise_if_failed()``, ``.to_json()``.

    Raises
    ------
    ValueError
        If a suite or property is not known; near matches are listed.

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
    chosen = set(found.names if only is None else only)
    skipped = set(skip or ())
    found.require_known([*chosen, *skipped, *expected])
    if examples < 1:
        raise ValueError(f"examples must be at least 1, got {examples}")
    subject = found.subject(fn, options)
    results = []
    for prop in found.properties:
        if prop.name in chosen - skipped:
            examination = Examination(found.name, prop, subject, options)
            result = examination.run(examples=examples, seed=seed)
            results.append(_against_expectation(result, expected))
        elif prop.name in skipped:
            results.append(Result(prop.name, Status.SKIPPED, "asked to be left out"))
    return SuiteReport(found.name, subject.name, tuple(results), subject.facts)


def assert_property(
    suite: str | Suite,
    name: str,
    fn: Any,
    *,
    options: Mapping[str, Any] | None = None,
    **inputs: Any,
) -> None:
    """Judge one property at one input; no search, so it may stand inside a ``@given`` of yours.

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
        raise ValueError(f"{name} cannot be judged: {missing}")
    prop.check(subject, **inputs)


class Examination:
    """One property tried on one subject, remembering the last input at which it failed."""

    def __init__(
        self, suite: str, prop: Property, subject: Subject, options: Mapping[str, Any]
    ) -> None:
        self.suite = suite
        self.prop = prop
        self.subject = subject
        self.options = options
        self.tried = 0
        self.failing: Inputs = {}

    def run(self, *, examples: int, seed: int) -> Result:
        """Try pins and drawn inputs; return how it came out."""
        missing = next(filter(None, map(self.subject.missing, self.prop.needs)), "")
        if missing:
            return Result(self.prop.name, Status.SKIPPED, missing)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for pin in self.prop.pins:
                    self.judge(pin)
                if self.prop.inputs is not None:
                    self._search(self.prop.inputs(self.subject), examples, seed)
        except PropertyViolationError as violation:
            return self._failed(Status.FAILED, violation)
        except FunctionRaisedError as error:
            return self._failed(Status.ERRORED, PropertyViolationError(str(error)))
        return Result(self.prop.name, Status.PASSED, examples=self.tried)

    def judge(self, inputs: Inputs) -> None:
        """Judge one input."""
        self.tried += 1
        try:
            self.prop.check(self.subject, **inputs)
        except (PropertyViolationError, FunctionRaisedError):
            self.failing = inputs
            raise

    def _search(self, strategy: SearchStrategy[dict[str, Any]], examples: int, seed: int) -> None:
        import hypothesis
        from hypothesis.errors import Flaky

        settings = hypothesis.settings(
            max_examples=examples,
            derandomize=True,
            database=None,
            deadline=None,
            print_blob=False,
            report_multiple_bugs=False,
            verbosity=hypothesis.Verbosity.quiet,
            phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),
            suppress_health_check=list(hypothesis.HealthCheck),
        )

        @hypothesis.seed(seed)
        @settings
        @hypothesis.given(strategy)
        def search(inputs: dict[str, Any]) -> None:
            self.judge(inputs)

        try:
            with private_storage():
                search()
        except Flaky as error:
            raise PropertyViolationError(
                "the property failed at an input and held at the same input when tried again",
                cause="the function is not deterministic: it draws random numbers or keeps state "
                "between calls",
            ) from error

    def _failed(self, status: Status, violation: PropertyViolationError) -> Result:
        """Tell the story; a cause found by experiment goes before one the property suggests."""
        parts = {"property": self.prop.description, **violation.parts}
        hint = parts.pop("cause")
        proven = self.subject.likely_cause(self.prop.needs)
        parts |= {"cause": proven} if proven else {"perhaps": hint}
        code = snippet(self.suite, self.prop.name, self.subject.fn, self.failing, self.options)
        story = [violation.headline]
        story += [f"  {label:<9} {text}" for label, text in parts.items() if text]
        story += ["  example", *(f"    {line}".rstrip() for line in code.splitlines())]
        return Result(self.prop.name, status, "\n".join(story), code, self.tried)


@contextmanager
def private_storage() -> Iterator[None]:
    """Let Hypothesis keep its files in a temporary folder, not in the user's working directory."""
    from hypothesis import configuration

    before = getattr(configuration, "__hypothesis_home_directory", None)
    with tempfile.TemporaryDirectory(prefix="gradcheck-") as folder:
        configuration.set_hypothesis_home_dir(folder)
        try:
            yield
        finally:
            configuration.set_hypothesis_home_dir(before)


def _against_expectation(result: Result, expected: Mapping[str, str]) -> Result:
    if result.name not in expected or result.status is Status.SKIPPED:
        return result
    reason = expected[result.name]
    if result.status is Status.PASSED:
        message = f"expected to fail ({reason}) but passed; remove it from expected_failures"
        return Result(result.name, Status.UNEXPECTEDLY_PASSED, message, examples=result.examples)
    return Result(result.name, Status.EXPECTED, reason, result.counterexample, result.examples)

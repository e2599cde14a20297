"""One pytest test per property, as scikit-learn's ``parametrize_with_checks`` makes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from gradcheck.properties.function_under_test import quiet
from gradcheck.properties.profile import choose_effort
from gradcheck.properties.registry import Suite
from gradcheck.properties.registry import suite as find_suite
from gradcheck.properties.result import Status
from gradcheck.properties.run import SuiteRun
from gradcheck.properties.search import CounterexampleSearch
from gradcheck.properties.snippet import rerun

if TYPE_CHECKING:
    import pytest


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
            again = rerun(suite.name, fn, options, search.effort, only=[name])
            raise AssertionError(f"{name}: {result.message}\n  rerun     {again}")

    check.gradcheck = True  # type: ignore[attr-defined]  # by which the plugin knows it
    return check

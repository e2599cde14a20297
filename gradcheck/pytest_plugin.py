"""The pytest plugin: a fixture that checks, its marker, and a summary of what failed.

It is loaded in every run of pytest where gradcheck is installed, so that it imports nothing heavy
and prints nothing until the fixture is used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

# What a check leaves in the test's report, which travels with it between processes.
PROPERTY = "gradcheck"

# Lines of a report that the summary shows.
MOST_LINES = 5


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options ``--gradcheck-seed`` and ``--gradcheck-profile``."""
    group = parser.getgroup("gradcheck")
    group.addoption(
        "--gradcheck-seed",
        type=int,
        default=0,
        metavar="SEED",
        help="seed of all random choices of the fixture gradcheck: the same gives the same reports",
    )
    group.addoption(
        "--gradcheck-profile",
        choices=("dev", "ci", "thorough"),
        help="how many inputs properties are tried on, unless a test sets it",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and choose the profile before any test is read."""
    profile = config.getoption("--gradcheck-profile")
    if profile is not None:
        patch = pytest.MonkeyPatch()
        patch.setenv("GRADCHECK_PROFILE", profile)
        config.add_cleanup(patch.undo)
    config.addinivalue_line(
        "markers",
        "gradcheck(**options): options of the fixture gradcheck in this test, such as "
        "tolerance=1e-6, seed=3, contract=False or xfail={'b': 'why b is expected to fail'}",
    )


@pytest.fixture
def gradcheck(request: pytest.FixtureRequest) -> Gradcheck:
    """Check gradients, properties and corners, with the run's seed and the test's marker.

    Returns
    -------
    Gradcheck
        Called as ``gradcheck(layer, x)``, it is `gradcheck.assert_gradients`.
    """
    options: dict[str, Any] = {"seed": request.config.getoption("--gradcheck-seed")}
    for marker in reversed(list(request.node.iter_markers("gradcheck"))):
        options |= marker.kwargs
    return Gradcheck(request.node, options)


class Gradcheck:
    """What the fixture gives to a test.

    Parameters
    ----------
    item
        The test; what is found is kept in its report.
    options
        Defaults for every call.
    """

    def __init__(self, item: pytest.Item, options: dict[str, Any]) -> None:
        self._item = item
        self._options = options

    def __call__(self, target: Any, *inputs: Any, **options: Any) -> Any:
        """Check as `gradcheck.check` does, and fail with the whole report unless all passes.

        What ``xfail`` names has to fail; the rest is judged without it.
        """
        __tracebackhide__ = True
        from gradcheck.check import check
        from gradcheck.expected_failures import apart_from, is_right

        given = {**self._options, **options}
        xfail = given.pop("xfail", None) or {}
        report = check(target, *inputs, **given)
        if report.interrupted:
            raise KeyboardInterrupt(str(report))
        try:
            rest = apart_from(report, xfail)
        except AssertionError as error:
            self._keep(False, str(error))
            raise
        return self._judge(rest, is_right(rest), len(xfail))

    def properties(self, suite: str, fn: Any, **options: Any) -> Any:
        """Run a suite as `gradcheck.properties.run_properties` does, and fail unless all hold."""
        __tracebackhide__ = True
        from gradcheck.properties import run_properties

        return self._judge(run_properties(suite, fn, **{"seed": self._options["seed"], **options}))

    def hunt(self, layer: Any, inputs: Any = None, **options: Any) -> Any:
        """Look for corners as `gradcheck.hunt` does, and fail if one is found."""
        __tracebackhide__ = True
        from gradcheck.hunt import hunt

        return self._judge(hunt(layer, inputs, **{"seed": self._options["seed"], **options}))

    def _judge(self, report: Any, ok: bool | None = None, expected: int = 0) -> Any:
        __tracebackhide__ = True
        ok, text = bool(report.ok if ok is None else ok), str(report)
        self._keep(ok, text, expected)
        if not ok:
            raise AssertionError(f"\n{text}")
        return report

    def _keep(self, ok: bool, text: str, expected: int = 0) -> None:
        lines = [] if ok else text.splitlines()[:MOST_LINES]
        found = {"ok": ok, "lines": lines, "expected": expected}
        self._item.user_properties.append((PROPERTY, found))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Keep what a test of `parametrize_with_properties` found."""
    callspec = getattr(item, "callspec", None)
    if call.when != "call" or not getattr(_param(callspec), PROPERTY, False):
        return
    error = call.excinfo.value if call.excinfo is not None else None
    if error is None or isinstance(error, AssertionError):
        lines = str(error).splitlines()[:MOST_LINES] if error is not None else []
        item.user_properties.append((PROPERTY, {"ok": error is None, "lines": lines}))


def _param(callspec: Any) -> Any:
    return callspec.params.get("check") if callspec is not None else None


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Show in a few lines each what failed, and count the checks."""
    found = list(_checks(terminalreporter))
    if not found:
        return
    failed = [(test, check) for test, check in found if not check["ok"]]
    terminalreporter.section("gradcheck")
    for test, check in failed:
        terminalreporter.write_line(test, bold=True)
        for line in check["lines"]:
            terminalreporter.write_line(f"  {line}")
    count = f"{len(found)} check{'s' if len(found) != 1 else ''}"
    words = f"{count}: {len(found) - len(failed)} passed, {len(failed)} failed"
    expected = sum(check.get("expected", 0) for _, check in found)
    failures = f", {expected} expected failure{'s' if expected != 1 else ''}" if expected else ""
    terminalreporter.write_line(f"{words}{failures}")


def _checks(terminalreporter: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    for reports in terminalreporter.stats.values():
        for report in reports:
            if getattr(report, "when", "") == "call":
                for name, value in report.user_properties:
                    if name == PROPERTY:
                        yield report.nodeid, value

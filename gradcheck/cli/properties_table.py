"""A suite run in a shell: a row per property as it comes, then what failed and how to see it."""

from __future__ import annotations

import ast
import shlex
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcheck.cli.loading import LoadingError, load, parse_input
from gradcheck.properties.property import BAD, Result, Status
from gradcheck.properties.registry import suite as find_suite
from gradcheck.properties.run import run_properties
from gradcheck.properties.suite_report import SuiteReport, failure_lines, row, status_width
from gradcheck.report.wording import wrapped

if TYPE_CHECKING:
    from rich.console import Console

STYLES = {
    Status.PASSED: "green",
    Status.FAILED: "bold red",
    Status.ERRORED: "bold red",
    Status.UNEXPECTEDLY_PASSED: "bold red",
    Status.EXPECTED: "yellow",
    Status.SKIPPED: "dim",
}
# The longer words are rare in a shell, where no failures are expected.
STATUS = status_width([Status.PASSED, Status.FAILED, Status.ERRORED, Status.SKIPPED])


def run_in_shell(
    suite: str, reference: str, console: Console, *, typed: Iterable[str] = (), **options: Any
) -> SuiteReport:
    """Run a suite, showing on ``console`` what comes out as it does.

    On a terminal, the table is coloured and wrapped to its width; into a pipe or file go plain
    lines.

    Parameters
    ----------
    suite
        As for `run_properties`.
    reference
        The function under test, as in ``mymodule:softmax``.
    console
        Where to show it.
    typed
        Options of the suite as they were typed, ``name=value``.
    **options
        As for `run_properties`.
    """
    table = PropertiesTable(console, find_suite(suite).names)
    fn, options = load(reference), options | parse_options(typed)
    with table.counting():
        report = run_properties(suite, fn, on_result=table.add, **options)
    command = [
        "gradcheck properties",
        suite,
        reference,
        *(f"--option {shlex.quote(text)}" for text in typed),
    ]
    table.conclude(report, " ".join(command))
    return report


class PropertiesTable:
    """Rows on a console, of the properties that may come by their ``names``."""

    def __init__(self, console: Console, names: Iterable[str]) -> None:
        self.console = console
        self.width = console.width if console.is_terminal else None
        self.widths = (STATUS, max(map(len, names)))
        self._count: Callable[[str], None] = lambda text: None
        self._done = 0

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Show below the rows, on a terminal, how many there are so far."""
        with self.console.status("") if self.width else nullcontext() as status:
            if status is not None:
                self._count = status.update
            self._count("looking for counterexamples")
            yield

    def add(self, result: Result) -> None:
        """Show one result."""
        first, *rest = row(result, self.widths, self.width)
        style = STYLES[result.status]
        word, name = first[: STATUS + 1], first[STATUS + 1 :]
        self._print((word, style), name if result.status in BAD else (name, "dim"))
        for line in rest:
            self._print((line, "dim" if result.status not in BAD else ""))
        self._done += 1
        self._count(f"{self._done} tried")

    def conclude(self, report: SuiteReport, command: str) -> None:
        """Show what failed, what was found out and how to run it again."""
        for first, others in report.failures():
            self._print("")
            self._print((first.name, "bold red"))
            parts = first.headline, first.parts, first.counterexample
            for line in failure_lines(*parts, self.width):
                self._print(line)
            if others:
                listed = f"{', '.join(others)} (in full with --only NAME)"
                for line in wrapped(listed, "  same for  ", " " * 12, self.width):
                    self._print(line)
        self._print("")
        for line in wrapped(report.summary(), "", "  ", self.width):
            self._print((line, "bold green" if report.ok else "bold red"))
        for line in report.found(self.width):
            self._print(line)
        if not report.ok:
            self._print(f"rerun: {command} --examples {report.examples} --seed {report.seed}")

    def _print(self, *parts: str | tuple[str, str]) -> None:
        from rich.text import Text

        # Not wrapped by the console: code is to be pasted, and everything else is wrapped already.
        self.console.print(Text.assemble(*parts), soft_wrap=True)


def parse_options(texts: Iterable[str]) -> dict[str, Any]:
    """Return the options of a suite that were typed as ``name=value``.

    A value is a Python literal (``axis=0``), a reference (``backward=mymodule:vjp``), the shape of
    an example input (``x=4,3``) or a word (``kind=binary``).

    Raises
    ------
    LoadingError
        If it is none of these.
    """
    options: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise LoadingError(f"--option {text}: expected name=value, as in axis=0")
        if name == "x":
            options[name] = parse_input(value, np.random.default_rng(0))
        elif ":" in value:
            options[name] = load(value)
        else:
            try:
                options[name] = ast.literal_eval(value)
            except (ValueError, SyntaxError):
                options[name] = value
    return options

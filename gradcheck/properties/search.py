"""Looking for a counterexample: inputs drawn once for all who want them, failures shrunk."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gradcheck.properties.assertions import FunctionRaisedError, PropertyViolationError
from gradcheck.properties.profile import Effort
from gradcheck.properties.property import Inputs

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Check = Callable[[Inputs], None]


class CounterexampleSearch:
    """Searches of one run, which try the same inputs where they draw from the same strategy.

    Hypothesis takes longer to draw an input than most properties to check it. What it draws
    depends on the seed and the strategy alone as long as nothing fails: so inputs are drawn once
    per strategy, and only where one fails does Hypothesis search again, to shrink it.
    """

    def __init__(self, effort: Effort) -> None:
        self.effort = effort
        self._drawn: dict[Any, list[Inputs]] = {}

    def run(self, key: Any, strategy: SearchStrategy[dict[str, Any]], check: Check) -> None:
        """Check the inputs drawn from ``strategy``; raise at the smallest that fails.

        ``key`` tells strategies apart.
        """
        if key not in self._drawn:
            drawn: list[Inputs] = []
            run_hypothesis(strategy, drawn.append, self.effort)
            self._drawn[key] = drawn
        for inputs in self._drawn[key]:
            try:
                check(copy.deepcopy(inputs))
            except (PropertyViolationError, FunctionRaisedError):
                self._shrink(strategy, check)
                check(copy.deepcopy(inputs))  # it failed at first, but in no search
                raise _not_deterministic() from None

    def _shrink(self, strategy: SearchStrategy[dict[str, Any]], check: Check) -> None:
        from hypothesis.errors import Flaky

        try:
            run_hypothesis(strategy, check, self.effort)
        except Flaky as error:
            raise _not_deterministic() from error


def run_hypothesis(
    strategy: SearchStrategy[Any],
    body: Callable[[Any], None],
    effort: Effort,
    *,
    shrink: bool = True,
) -> None:
    """Call ``body`` with examples of a strategy, keeping no database and no time limits.

    Parameters
    ----------
    strategy, body
        What is drawn, and what it is given to; an error that it raises ends the search.
    effort
        How many examples, from which seed.
    shrink
        Whether the smallest example is looked for at which it raises.
    """
    import hypothesis
    from hypothesis import Phase

    @hypothesis.seed(effort.seed)
    @hypothesis.settings(
        max_examples=effort.examples,
        derandomize=True,
        database=None,
        deadline=None,
        print_blob=False,
        report_multiple_bugs=False,
        verbosity=hypothesis.Verbosity.quiet,
        phases=[Phase.generate, *([Phase.shrink] * shrink)],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(strategy)
    def search(example: Any) -> None:
        body(example)

    with private_storage():
        search()


def _not_deterministic() -> PropertyViolationError:
    return PropertyViolationError(
        "the property failed at an input and held at the same input when tried again",
        cause="the function is not deterministic: it draws random numbers or keeps state "
        "between calls",
    )


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

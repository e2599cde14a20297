"""What a rule is: a test of a run, what it needs, and what it rests on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from diagnostics.finding import Finding, Severity
from diagnostics.rules.features.run import Run
from diagnostics.rules.features.run_curves import ENOUGH_EPOCHS
from diagnostics.rules.relations import Premise, explaining

# A loss and an accuracy of the same samples; those of training do as well.
PAIR = ("val_loss", "val_accuracy")


@dataclass(frozen=True)
class Rule:
    """One rule.

    Parameters
    ----------
    code
        Code of the finding.
    find
        From a run to a finding, or None.
    needs
        Roles without which the rule is not applied.
    rests_on
        The evidence that it concludes from: earlier findings that explain any of it leave nothing
        to conclude, see `diagnostics.rules.relations`.
    not_while
        States of the run, of `diagnostics.rules.relations.STATES`, that explain what the rule
        would report.
    epochs
        Fewest rows for a judgement.
    uses
        Roles by which it judges where they are logged: without them it may miss something.
    pair
        Whether it needs a loss and an accuracy of the same set.
    severity
        That of every finding; by default it is for the rule to say, and a problem otherwise.
    any_loss
        Whether it holds for adversarial losses too, which a sound run need not bring down.
    """

    code: str
    find: Callable[[Run], Finding | None]
    needs: tuple[str, ...] = ()
    rests_on: tuple[Premise, ...] = ()
    not_while: tuple[str, ...] = ()
    epochs: int = ENOUGH_EPOCHS
    uses: tuple[str, ...] = ()
    pair: bool = False
    severity: Severity | None = None
    any_loss: bool = False

    @property
    def info(self) -> bool:
        """Whether what the rule finds is never a fault."""
        return self.severity is Severity.INFO

    @property
    def unless(self) -> frozenset[str]:
        """The codes of the findings that leave nothing for this rule to conclude."""
        return explaining(self.rests_on) | {self.code}

    def lacks(self, run: Run) -> tuple[str, ...]:
        """Return the roles that the rule needs and the run has not logged."""
        needs = (*self.needs, *(PAIR if self.pair and run.pair is None else ()))
        return tuple(role for role in needs if run.curve(role) is None)

    def could_use(self, run: Run) -> tuple[str, ...]:
        """Return the roles that are not logged and would let the rule exclude more."""
        others = (role for role in self.uses if run.curve(role) is None)
        return tuple(dict.fromkeys((*self.lacks(run), *others)))

    def applies(self, run: Run) -> bool:
        """Return whether the run has the curves and the length that the rule needs."""
        long_enough = run.length >= self.epochs and not self.lacks(run)
        if not long_enough or (run.adversarial and not self.any_loss):
            return False
        return not any(getattr(run, state) for state in self.not_while)

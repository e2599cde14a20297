"""The rules, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from diagnostics.finding import Finding
from diagnostics.rules.features.run import Run
from diagnostics.rules.features.run_curves import ENOUGH_EPOCHS
from diagnostics.rules.relations import Premise, silenced_by

Judge = Callable[[Run], Finding | None]


@dataclass(frozen=True)
class Rule:
    """One rule: what it finds, what it needs, and what it rests on.

    A ``remark`` finds nothing that could be wrong. With ``any_loss`` it is asked of losses, too,
    that a sound run need not bring down: see `contested`.
    """

    code: str
    judge: Judge
    needs: tuple[str, ...] = ()
    epochs: int = ENOUGH_EPOCHS
    uses: tuple[str, ...] = ()
    rests_on: tuple[Premise, ...] = ()
    not_while: tuple[str, ...] = ()
    pair: bool = False
    remark: bool = False
    any_loss: bool = False

    @property
    def unless(self) -> frozenset[str]:
        """The codes of the findings that leave nothing for this rule to say."""
        return silenced_by(self.rests_on) | {self.code}

    def lacks(self, run: Run) -> tuple[str, ...]:
        """The roles that the rule needs and the run has not logged."""
        needs = (*self.needs, *(PAIR if self.pair and run.judged is None else ()))
        return tuple(role for role in needs if run.curve(role) is None)

    def could_use(self, run: Run) -> tuple[str, ...]:
        """The roles that are not logged and would let the rule exclude more."""
        others = (role for role in self.uses if run.curve(role) is None)
        return tuple(dict.fromkeys((*self.lacks(run), *others)))

    def applies(self, run: Run) -> bool:
        """Whether the run has the curves and the length that the rule needs."""
        long_enough = run.length >= self.epochs and not self.lacks(run)
        if not long_enough or (run.contested and not self.any_loss):
            return False
        return not any(getattr(run, state) for state in self.not_while)


# A loss and an accuracy of the same samples; those of training do as well.
PAIR = ("val_loss", "val_accuracy")
RULES: list[Rule] = []


def rule(
    code: str,
    *,
    needs: tuple[str, ...] = (),
    epochs: int = ENOUGH_EPOCHS,
    uses: tuple[str, ...] = (),
    rests_on: tuple[Premise, ...] = (),
    not_while: tuple[str, ...] = (),
    pair: bool = False,
    remark: bool = False,
    any_loss: bool = False,
) -> Callable[[Judge], Judge]:
    """Register a rule: a function from a run to a finding or None.

    Parameters
    ----------
    code
        Code of the finding.
    needs
        Roles without which the rule is not asked.
    epochs
        Fewest rows for a judgement.
    uses
        Roles by which it judges where they are logged: without them it may miss something.
    rests_on
        The evidence without which the rule has nothing to say: earlier findings that explain any
        of it leave the rule unasked, see `diagnostics.rules.relations`.
    not_while
        States of the run, of `diagnostics.rules.relations.STATES`, that explain what the rule
        would report.
    pair
        Whether it needs a loss and an accuracy of the same set.
    remark
        Whether what it finds is never a fault.
    any_loss
        Whether it holds for the losses of games as well.
    """

    def add(judge: Judge) -> Judge:
        RULES.append(
            Rule(code, judge, needs, epochs, uses, rests_on, not_while, pair, remark, any_loss)
        )
        return judge

    return add


def remark(
    code: str,
    *,
    needs: tuple[str, ...] = (),
    epochs: int = ENOUGH_EPOCHS,
    rests_on: tuple[Premise, ...] = (),
    pair: bool = False,
    any_loss: bool = False,
) -> Callable[[Judge], Judge]:
    """Register a `rule` whose finding is never a fault."""
    return rule(
        code,
        needs=needs,
        epochs=epochs,
        rests_on=rests_on,
        pair=pair,
        remark=True,
        any_loss=any_loss,
    )

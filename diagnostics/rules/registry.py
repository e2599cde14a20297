"""The rules, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from diagnostics.finding import Finding
from diagnostics.rules.logged import ENOUGH_EPOCHS
from diagnostics.rules.run import Run

Judge = Callable[[Run], Finding | None]


@dataclass(frozen=True)
class Rule:
    """One rule: what it finds, what it needs, and which findings leave nothing for it to say.

    A ``remark`` finds nothing that could be wrong. With ``any_loss`` it is asked of losses, too,
    that a sound run need not bring down: see `contested`.
    """

    code: str
    judge: Judge
    needs: tuple[str, ...] = ()
    epochs: int = ENOUGH_EPOCHS
    unless: frozenset[str] = frozenset()
    remark: bool = False
    any_loss: bool = False

    def applies(self, run: Run) -> bool:
        """Whether the run has the curves and the length that the rule needs."""
        curves = all(run.curve(role) is not None for role in self.needs)
        return curves and run.length >= self.epochs and (self.any_loss or not run.contested)


RULES: list[Rule] = []


def rule(
    code: str,
    *,
    needs: tuple[str, ...] = (),
    epochs: int = ENOUGH_EPOCHS,
    unless: Iterable[str] = (),
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
    unless
        Codes of earlier findings that explain what this rule would report.
    remark
        Whether what it finds is never a fault.
    any_loss
        Whether it holds for the losses of games as well.
    """

    def add(judge: Judge) -> Judge:
        RULES.append(Rule(code, judge, needs, epochs, frozenset(unless), remark, any_loss))
        return judge

    return add


def remark(
    code: str,
    *,
    needs: tuple[str, ...] = (),
    epochs: int = ENOUGH_EPOCHS,
    unless: Iterable[str] = (),
    any_loss: bool = False,
) -> Callable[[Judge], Judge]:
    """Register a `rule` whose finding is never a fault."""
    return rule(code, needs=needs, epochs=epochs, unless=unless, remark=True, any_loss=any_loss)

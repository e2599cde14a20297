"""What a check is: one experiment on the model, and what it needs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from diagnostics.experiments.model.subject import Subject
from diagnostics.finding import Finding, Severity


@dataclass(frozen=True)
class Check:
    """One experiment.

    Parameters
    ----------
    code
        Code of the finding, where the experiment does not choose another.
    find
        From a subject to a finding, or None.
    needs
        What has to be given for it to be made, of ``"model"`` (and not mere predictions),
        ``"probabilities"`` or ``"numbers"`` as answers, ``"train"``, ``"history"`` and ``"loss"``.
    unless
        Findings that leave nothing for it to decide.
    severity
        That of every finding; by default it is for the check to say, and a problem otherwise.
    """

    code: str
    find: Callable[[Subject], Finding | None]
    needs: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    severity: Severity | None = None

    @property
    def name(self) -> str:
        """The name of the experiment."""
        return self.find.__name__

    @property
    def sentence(self) -> str:
        """What is done in the experiment: the first line of its docstring."""
        return (self.find.__doc__ or "").partition("\n")[0]

"""The curves of a history as the rules see them: finite values only, alone or in pairs."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from diagnostics.history.column_roles import Roles, words
from diagnostics.history.history import CURVES, History
from diagnostics.rules.features.curve import Curve

# Trends are not judged below: a shorter run has but two windows of three epochs.
ENOUGH_EPOCHS = 8
# Whose loss depends on an opponent, or on what was tried: it may rise while the run goes well.
GAMES = {"policy", "actor", "critic", "generator", "discriminator", "gen", "disc", "adversarial",
         "adv", "gan", "reinforce", "td", "ppo", "dqn"}  # fmt: skip
# The same in the short form, where both are logged.
PLAYERS = {"g", "d"}


@dataclass
class Logged(Roles[Curve]):
    """The curves of a run."""

    history: History
    _curves: dict[str, Curve | None] = field(default_factory=dict)

    @property
    def axis(self) -> str:
        """What the position of a row counts: ``"epoch"`` or ``"step"``."""
        return self.history.axis

    def curve(self, role: str) -> Curve | None:
        """Return the finite values of a role, None when fewer than two."""
        if role not in self._curves:
            self._curves[role] = self._finite(role)
        return self._curves[role]

    def __getitem__(self, role: str) -> Curve:
        """Return the curve of a role that is known to be logged; KeyError where it is not."""
        curve = self.curve(role)
        if curve is None:
            raise KeyError(role)
        return curve

    def _finite(self, role: str) -> Curve | None:
        values = self.history.curve(role)
        if values is None:
            return None
        finite = np.isfinite(values)
        if finite.sum() < 2:
            return None
        return Curve(role, self.history.epochs[finite], values[finite])

    @cached_property
    def adversarial(self) -> bool:
        """Whether the loss depends on an opponent, so that a sound run need not bring it down."""
        names = {name for role, name in self.history.mapping.items() if role.endswith("_loss")}
        every = {word for column in self.history.columns for word in words(column)}
        players = PLAYERS if every >= PLAYERS else set()
        return bool(names) and all(set(words(name)) & (GAMES | players) for name in names)

    @cached_property
    def length(self) -> int:
        """Number of rows of the longest loss or accuracy curve, finite or not."""
        roles = (role for role in CURVES if role in self.history.mapping)
        return max(int(self.history.logged(role).sum()) for role in roles)

    @cached_property
    def pair(self) -> tuple[Curve, Curve] | None:
        """Loss and accuracy of the same samples at the same epochs: validation, else training."""
        return self.joint("val_loss", "val_accuracy") or self.joint("train_loss", "train_accuracy")

    def joint(self, one: str, other: str) -> tuple[Curve, Curve] | None:
        """Return two curves at the epochs at which both are finite, None when fewer than two."""
        a, b = self.history.curve(one), self.history.curve(other)
        if a is None or b is None:
            return None
        both = np.isfinite(a) & np.isfinite(b)
        if both.sum() < 2:
            return None
        epochs = self.history.epochs[both]
        return Curve(one, epochs, a[both]), Curve(other, epochs, b[both])

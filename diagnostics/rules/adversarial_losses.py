"""Losses that a sound run need not bring down: those of games."""

from __future__ import annotations

from diagnostics.finding import Finding, Severity
from diagnostics.rules.features.run import Run
from diagnostics.rules.registry import remark


@remark("contested_loss", epochs=1, any_loss=True)
def contested_loss(run: Run) -> Finding | None:
    """The loss is that of a game, such as a policy's or a discriminator's: no curve can judge it.

    The better the opponent, the larger the loss; and a policy gradient's loss is one in name only.
    """
    if not run.contested:
        return None
    name = next(n for role, n in run.history.mapping.items() if role.endswith("_loss"))
    return Finding(
        code="contested_loss",
        severity=Severity.INFO,
        message=(
            f"{name!r} is the loss of a game, which need not fall while the run goes well: it was "
            "searched for values that are not finite, and for nothing else."
        ),
        next_steps=(
            "Judge the run by its reward, or by its samples: log them beside the loss.",
            "diagnose(History.read(path, columns={'train_loss': other}))  # of a loss that falls",
        ),
    )

"""Early stopping: training ends when it no longer helps."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gradcheck_arguments import Count, NonNegativeInt, checked
from network.progress import Record


@checked
@dataclass
class EarlyStopping:
    """Stop after ``patience`` epochs without a better value, and go back to the best one.

    Parameters
    ----------
    patience
        Epochs to wait for a better value.
    monitor
        The number of the record that is watched: of a loss the lowest is best, of an accuracy the
        highest. Where None, ``val_loss``, or without validation ``train_loss``.

    Attributes
    ----------
    best_epoch
        That of the best value so far, 0 before the first.

    Raises
    ------
    ValueError
        If the patience is below one.

    Notes
    -----
    L. Prechelt, "Early stopping - but when?", in "Neural Networks: Tricks of the Trade", 1998,
    criterion UP.
    """

    patience: Count = 5
    monitor: str | None = None
    best_epoch: NonNegativeInt = 0

    @checked
    def review(self, records: list[Record]) -> bool:
        """Take note of all records so far; return whether the last one is the best."""
        values = [self._cost(record) for record in records]
        self.best_epoch = 1 + min(range(len(values)), key=values.__getitem__, default=-1)
        return bool(records) and self.best_epoch == len(records)

    @checked
    def over(self, epoch: NonNegativeInt) -> bool:
        """Return whether the patience is used up after ``epoch``."""
        return epoch - self.best_epoch >= self.patience

    def _cost(self, record: Record) -> float:
        """Return what is to become small."""
        name = self.monitor or ("val_loss" if "val_loss" in record else "train_loss")
        if name not in record:
            raise ValueError(f"monitor={name!r}: the records hold {', '.join(record)}")
        value = -record[name] if name.endswith("accuracy") else record[name]
        return value if math.isfinite(value) else math.inf

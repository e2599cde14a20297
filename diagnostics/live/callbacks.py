"""Callbacks for Keras and Lightning, which are not imported: their hooks are known by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from diagnostics.history.column_roles import VALIDATION, words
from diagnostics.live.monitor import Monitor
from gradcheck_arguments import NonNegativeInt, checked


class KerasMonitor(Monitor):
    """A `Monitor` for ``model.fit(..., callbacks=[KerasMonitor()])``."""

    @checked
    def on_epoch_end(self, epoch: NonNegativeInt, logs: Mapping[str, Any] | None = None) -> None:
        """Take the logs of an epoch."""
        self({"epoch": epoch, **{name: _number(value) for name, value in (logs or {}).items()}})

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Do nothing in the other hooks, which Keras calls without asking for them."""
        return _do_nothing(self, name, ("on_", "set_"))


class LightningMonitor(Monitor):
    """A `Monitor` for ``Trainer(callbacks=[LightningMonitor()])``.

    It reads ``trainer.callback_metrics``, to which ``self.log("train_loss", ...)`` writes.
    """

    validated = False
    state_key = "diagnostics.live.LightningMonitor"

    def on_validation_epoch_end(self, trainer: Any, module: Any) -> None:
        """Note that the validation metrics are those of this epoch."""
        self.validated = not trainer.sanity_checking

    def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
        """Take the metrics of an epoch; validation comes before this hook."""
        metrics = {name: _number(value) for name, value in trainer.callback_metrics.items()}
        if not self.validated:
            # Lightning keeps the values of an earlier validation.
            metrics = {n: value for n, value in metrics.items() if not set(words(n)) & VALIDATION}
        self.validated = False
        if metrics:
            self({"epoch": trainer.current_epoch, **metrics})

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps."""
        return {"records": self.records}

    @checked
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on with the records of a checkpoint."""
        self.records = list(state["records"])

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Do nothing in the other hooks."""
        return _do_nothing(self, name, ("on_", "setup", "teardown"))


def _do_nothing(owner: object, name: str, prefixes: tuple[str, ...]) -> Callable[..., None]:
    """A hook without effect, where the name is that of a hook."""
    if not name.startswith(prefixes):
        raise AttributeError(f"{type(owner).__name__} has no attribute {name!r}")
    return lambda *args, **kwargs: None


def _number(value: Any) -> Any:
    """A tensor of one number as a float, anything else as it is."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return value

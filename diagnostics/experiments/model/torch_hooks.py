"""What the modules of a ``torch.nn.Module`` answer, and what becomes of it on the way to the next.

Activations are mostly functions, called between the modules: the input of a module shows them.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from diagnostics.experiments.model.hidden_activations import HiddenActivation, as_units


class _Recorder:
    """The activations of one call, in the order in which they come."""

    def __init__(self) -> None:
        self.seen: list[HiddenActivation] = []
        self.last: Any = None  # the output of the module before
        self.last_name = ""
        self.learned = False  # whether there were parameters: before them there are no units

    def record(self, name: str, module: Any, inputs: Any, output: Any) -> None:
        """Keep what goes into a module, where it is not what came out of the one before."""
        if not hasattr(output, "detach"):
            return
        given = next((x for x in inputs if hasattr(x, "detach")), None)
        if self.learned and given is not None and given is not self.last:
            units = _as_before(given, self.last)
            if units is not None:
                after = f"the activation after {self.last_name}"
                self.seen.append(HiddenActivation(after, as_units(_array(units))))
        self.learned |= next(module.parameters(), None) is not None
        reshaped = (
            given is not None and given.ndim != output.ndim and given.numel() == output.numel()
        )
        if self.learned and not reshaped:
            self.seen.append(HiddenActivation(name, as_units(_array(output))))
        if not reshaped:
            self.last, self.last_name = output, name


def activations(predict: Any, model: Any, X: Any) -> list[HiddenActivation]:
    """Return the outputs of the modules without children, but the last, in the order of use."""
    recorder = _Recorder()
    leaves = {f"{name} ({type(module).__name__})".lstrip(): module
              for name, module in model.named_modules() if not list(module.children())}  # fmt: skip
    handles = [m.register_forward_hook(partial(recorder.record, n)) for n, m in leaves.items()]
    try:
        predict(X)
    finally:
        for handle in handles:
            handle.remove()
    return recorder.seen[:-1]


def _as_before(given: Any, last: Any) -> Any:
    """The input of a module in the shape of the units that it comes from, None where unknown."""
    if given.numel() == last.numel():
        return given.reshape(last.shape)
    if given.ndim == last.ndim:
        return given
    # pooled images laid out in rows: channel after channel
    channels = last.shape[1] if last.ndim == 4 else 0
    if given.ndim == 2 and channels and given.shape[1] % channels == 0:
        return given.reshape(len(given), channels, -1, 1)
    return None


def _array(tensor: Any) -> Any:
    """A copy, which operations in place do not reach; numpy has no bfloat16."""
    return tensor.detach().cpu().clone().double().numpy()

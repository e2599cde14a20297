"""What PyTorch code remembers: tensors, gradients and random generators, put back as they were."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from gradcheck.adapters.discovery.reachable_arrays import reachable
from gradcheck.adapters.signatures import pytree
from gradcheck.state import restored_at_end


class TorchState:
    """The tensors that code keeps, their gradients, and the random generators it may draw from.

    Parameters
    ----------
    thing
        A module, an autograd function or any function.
    kept
        The tensors that it keeps; those that a module has registered are among them.
    arguments
        What it is called with: random generators too.
    """

    def __init__(self, thing: Any, kept: Mapping[str, Any], arguments: Mapping[str, Any]) -> None:
        self._saved = [(t, t.detach().clone()) for t in kept.values()]
        leaves = [t for t in kept.values() if t.is_leaf]
        self._gradients = [(t, t.grad, _copied(t.grad)) for t in leaves]
        self._random = [(g, g.get_state()) for g in generators(thing, arguments)]

    def restore(self, *, everything: bool = False, randomness: bool = True) -> None:
        """Put the remembered state back."""
        for tensor, gradient, content in self._gradients:
            tensor.grad = gradient
            _put_back(gradient, content)
        for tensor, content in self._saved:
            _put_back(tensor, content)
        self.rewind(everywhere=randomness)

    def rewind(self, *, everywhere: bool = True) -> None:
        """Put back the random generators, most of which the layers of PyTorch share."""
        if everywhere:
            for generator, state in self._random:
                generator.set_state(state)

    def guarded(self) -> AbstractContextManager[None]:
        """Restore everything when the block ends, however it ends."""
        return restored_at_end(lambda: self.restore(everything=True))


def generators(thing: Any, arguments: Mapping[str, Any]) -> list[Any]:
    """Return the random generators of all devices in use, and those that code is given or keeps."""
    import torch

    def is_generator(value: Any) -> bool:
        return isinstance(value, torch.Generator)

    devices = [torch.default_generator]
    cuda: Any = torch.cuda
    if cuda.is_initialized():
        devices += cuda.default_generators
    given = [leaf for _, leaf in pytree.paths("", dict(arguments)) if is_generator(leaf)]
    kept = [found.read() for found in reachable([thing], is_generator, _is_module)]
    return list({id(generator): generator for generator in [*devices, *given, *kept]}.values())


def _is_module(value: Any) -> bool:
    import torch

    return isinstance(value, torch.nn.Module)


def _copied(tensor: Any) -> Any:
    return None if tensor is None else tensor.detach().clone()


def _put_back(tensor: Any, content: Any) -> None:
    """Write the remembered content into a tensor, in whatever mode the caller is."""
    import torch

    if tensor is not None:
        with torch.inference_mode(tensor.is_inference()):
            tensor.detach().copy_(content)

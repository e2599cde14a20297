"""The libraries of the audit, by name: each is imported only in the process that audits it."""

from __future__ import annotations

from importlib import import_module

from benchmarks.audit.libraries.library import Library

# Name -> module, class.
LIBRARIES = {
    "torch": ("torch_operators", "Torch"),
    "jax.numpy": ("jax_functions", "JaxNumpy"),
    "jax.nn": ("jax_functions", "JaxNN"),
    "jax.scipy.special": ("jax_functions", "JaxSpecial"),
    "optax": ("jax_functions", "Optax"),
    "keras on jax": ("keras_ops", "KerasOnJax"),
    "keras on torch": ("keras_ops", "KerasOnTorch"),
    "autograd": ("autograd_functions", "Autograd"),
    "mygrad": ("mygrad_functions", "MyGrad"),
    "thinc": ("thinc_ops", "Thinc"),
}


def load(name: str) -> Library:
    """Return a library by its name in `LIBRARIES`."""
    module, class_name = LIBRARIES[name]
    library: Library = getattr(import_module(f"{__name__}.{module}"), class_name)()
    return library

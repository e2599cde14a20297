"""What mutation operators write: stated in NumPy's words, put in those of the code's framework."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any


@dataclass(frozen=True)
class Words:
    """How a framework's code is written.

    Attributes
    ----------
    module
        The module that has NumPy's functions under the same names.
    phrases
        What is written otherwise, by what NumPy's code has.
    """

    module: str
    phrases: Mapping[str, str] = field(default_factory=dict)

    def put(self, source: str, namespace: Mapping[str, Any]) -> str:
        """Return NumPy's source in these words, by the name that the code has for the module."""
        modules = (n for n, v in namespace.items() if is_module(v) and v.__name__ == self.module)
        return re.sub(r"\bnp\.", f"{next(modules, 'np')}.", self.phrases.get(source, source))


NUMPY = Words("numpy")
# By the package that the arrays of the code are of.
FRAMEWORKS = {
    "torch": Words(
        "torch",
        {
            "A[::-1]": "A.flip(0)",
            "A[..., ::-1]": "A.flip(-1)",
            "A[..., ::-1, ::-1]": "A.flip(-2, -1)",
            "A.size": "A.numel()",
            "np.add.at(A, C, B)": "A.index_add_(0, C, B)",
        },
    ),
    "jax": Words("jax.numpy", {"np.add.at(A, C, B)": "A = A.at[C].add(B)"}),
}
FRAMEWORKS["jaxlib"] = FRAMEWORKS["jax"]


def words_of(values: Iterable[Any]) -> Words:
    """Return the words of the framework that some of the values are of."""
    packages = (type(value).__module__.partition(".")[0] for value in values)
    return next((FRAMEWORKS[name] for name in packages if name in FRAMEWORKS), NUMPY)


def is_module(value: Any) -> bool:
    """Whether a value is a module, whose functions are no methods."""
    return isinstance(value, ModuleType)

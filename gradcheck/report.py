"""The report of a check: verdicts, contract and explanations, and the ways to show them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gradcheck.result import Explanation, PromiseReport, TensorReport, Verdict


@dataclass(frozen=True)
class Report:
    """Everything a check found out about one layer, loss or network.

    ``print(report)`` tells the story; ``report.save("report.html")`` keeps it.

    Attributes
    ----------
    target
        What was checked, such as ``"Dense(3 -> 4)"``.
    tensors
        The judgement of each tensor's gradient, by tensor name.
    contract
        What the layer owes besides right numbers, by promise name.
    explanations
        Bugs that fit what was measured, best first.
    seed
        Seed of all random choices: the same seed gives the same report.
    notes
        Facts about the whole check that are no fault.
    parts
        For a network, the report of each layer, checked at the activations that reach it.
    interrupted
        Whether Ctrl-C ended the check before everything was judged.
    """

    target: str
    tensors: Mapping[str, TensorReport]
    contract: Mapping[str, PromiseReport]
    explanations: tuple[Explanation, ...]
    seed: int = 0
    notes: tuple[str, ...] = ()
    parts: Mapping[str, Report] = field(default_factory=dict)
    interrupted: bool = False

    @property
    def verdict(self) -> Verdict:
        """Worst verdict of tensors, required promises and parts; UNDECIDED if none was judged."""
        verdicts = [tensor.verdict for tensor in self.tensors.values()]
        verdicts += [promise.verdict for promise in self.contract.values() if promise.required]
        verdicts += [part.verdict for part in self.parts.values() if part.judged]
        return Verdict.worst(verdicts) if verdicts else Verdict.UNDECIDED

    @property
    def ok(self) -> bool:
        """Whether everything judged passed, and anything was judged at all."""
        return self.verdict is Verdict.PASS

    @property
    def forwards(self) -> int:
        """Forward calls spent on tensors, those of the parts included."""
        own = sum(tensor.forwards for tensor in self.tensors.values())
        return own + sum(part.forwards for part in self.parts.values())

    @property
    def judged(self) -> bool:
        """Whether there was any tensor or required promise to judge."""
        required = any(promise.required for promise in self.contract.values())
        return bool(self.tensors) or required or any(part.judged for part in self.parts.values())

    def to_dict(self) -> dict[str, Any]:
        """Return builtins only, ready for JSON; ``schema_version`` counts changes of its form."""
        from gradcheck.render.json import to_dict

        return to_dict(self)

    def to_json(self, *, indent: int | None = 2) -> str:
        """Return the report as strict JSON; numbers that are not finite become strings."""
        return json.dumps(self.to_dict(), indent=indent, allow_nan=False)

    def save(self, path: str | Path) -> Path:
        """Write the report in the format that the ending of ``path`` names.

        Parameters
        ----------
        path
            Ends in ``.html`` (page of its own, nothing to download), ``.json``, ``.png``,
            ``.svg`` (the gradients as pictures) or ``.txt``.

        Returns
        -------
        pathlib.Path
            The path written.

        Raises
        ------
        ValueError
            If the ending is none of these.
        """
        path = Path(path)
        match path.suffix.lower():
            case ".html":
                from gradcheck.render.html import to_html

                content = to_html(self).encode()
            case ".json":
                content = f"{self.to_json()}\n".encode()
            case ".png" | ".svg" as suffix:
                from gradcheck.render.picture import to_image

                content = to_image(self, suffix.removeprefix("."))
            case ".txt":
                content = f"{self}\n".encode()
            case suffix:
                raise ValueError(
                    f"path={str(path)!r}: unknown ending {suffix!r}; "
                    "use one of .html, .json, .png, .svg, .txt"
                )
        path.write_bytes(content)
        return path

    def __str__(self) -> str:
        from gradcheck.render.text import to_text

        return to_text(self)

    def _repr_html_(self) -> str:
        """Show the report in a notebook."""
        from gradcheck.render.html import to_fragment

        return to_fragment(self)

"""The report of a check: its outcome, and the ways to show it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gradcheck.report.outcome import Outcome
from gradcheck.report.write_whole import write_whole
from gradcheck_arguments import Index, checked


@dataclass(frozen=True)
class Report(Outcome):
    """Everything a check found out about one layer, loss or network; see `Outcome`.

    ``print(report)`` shows it as text; ``report.save("report.html")`` writes it to a file.
    """

    parts: Mapping[str, Report] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return builtins only, ready for JSON; ``schema_version`` counts changes of its form."""
        from gradcheck.report.json import to_dict

        return to_dict(self)

    @checked
    def to_json(self, *, indent: Index | None = 2) -> str:
        """Return the report as strict JSON; numbers that are not finite become strings."""
        return json.dumps(self.to_dict(), indent=indent, allow_nan=False)

    @checked
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
                from gradcheck.report.html import to_html

                content = to_html(self).encode()
            case ".json":
                content = f"{self.to_json()}\n".encode()
            case ".png" | ".svg" as suffix:
                from gradcheck.report.plots.figure import to_image

                content = to_image(self, suffix.removeprefix("."))
            case ".txt":
                content = f"{self}\n".encode()
            case suffix:
                raise ValueError(
                    f"path={str(path)!r}: unknown ending {suffix!r}; "
                    "use one of .html, .json, .png, .svg, .txt"
                )
        write_whole(path, content)
        return path

    def __str__(self) -> str:
        from gradcheck.report.text import to_text

        return to_text(self)

    def __repr__(self) -> str:
        from gradcheck.report.headline import summarize

        return f"<Report {self.verdict}  {summarize(self).title}>"

    def _repr_html_(self) -> str:
        """Show the report in a notebook."""
        from gradcheck.report.html import to_fragment

        return to_fragment(self)

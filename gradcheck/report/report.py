"""The report of a check: its outcome, and the ways to show it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gradcheck.report.outcome import Outcome
from gradcheck.report.write_whole import write_whole
from gradcheck_arguments import Count, NonNegativeInt, checked


@dataclass(frozen=True)
class Report(Outcome):
    """Everything a check found out about one layer, loss or network; see `Outcome`.

    ``print(report)`` shows it on a screen, ``print(report.text(details=True))`` in full;
    ``report.save("report.html")`` writes it to a file.
    """

    parts: Mapping[str, Report] = field(default_factory=dict)
    points: Mapping[int, Report] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return builtins only, ready for JSON; ``schema_version`` counts changes of its form."""
        from gradcheck.report.json import to_dict

        return to_dict(self)

    @checked
    def to_json(self, *, indent: NonNegativeInt | None = 2) -> str:
        """Return the report as strict JSON; numbers that are not finite become strings."""
        return json.dumps(self.to_dict(), indent=indent, allow_nan=False)

    @checked
    def save(self, path: str | Path) -> Path:
        """Write the report in the format that the ending of ``path`` names.

        Parameters
        ----------
        path
            Ends in ``.html`` (page of its own, nothing to download), ``.json``, ``.png``,
            ``.svg`` (the gradients as pictures) or ``.txt`` (all details).

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
                from gradcheck.report.wording import PAGE

                content = f"{self.text(details=True, width=PAGE)}\n".encode()
            case suffix:
                raise ValueError(
                    f"path={str(path)!r}: unknown ending {suffix!r}; "
                    "use one of .html, .json, .png, .svg, .txt"
                )
        write_whole(path, content)
        return path

    @checked
    def text(self, *, details: bool = False, width: Count | None = None) -> str:
        """Return the report as plain text; `str` gives the same without an option.

        Parameters
        ----------
        details
            Whether to show all that was found. Otherwise the text has at most 25 lines: the first
            cause with its change, the others in a line each, the wrong tensors first.
        width
            Columns to fill; None for those of the terminal, 100 where there is none.
        """
        from gradcheck.report.text import to_text

        return to_text(self, width, details=details)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        from gradcheck.report.headline import summarize

        return f"<Report {self.verdict}  {summarize(self).title}>"

    def _repr_html_(self) -> str:
        """Show the report in a notebook."""
        from gradcheck.report.html import to_fragment

        return to_fragment(self)

"""The report of a diagnosis: its findings, and the ways to show them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from diagnostics.report import formats
from diagnostics.report.data import Findings


@dataclass(frozen=True)
class Report(Findings):
    """Findings, the most important first, with everything needed to trust their absence.

    Parameters
    ----------
    findings
        Ordered by severity, then from cause to symptom.
    tests_run
        The codes of all tests that could be carried out.
    margins
        For each test that stayed silent, how near it came to speaking: statistic divided by
        threshold, 1 being the threshold.
    history
        The run that was judged, None when there was none.
    muted
        The codes of what was found and, as asked for, is not among the findings.
    """

    __repr__ = Findings.__repr__  # a dataclass would write its own

    def save(self, path: str | Path) -> Path:
        """Write the report as the ending says: ``.html``, ``.json``, ``.png``, ``.svg``, ``.txt``.

        Parameters
        ----------
        path
            Where to write. Pictures need a history.

        Returns
        -------
        pathlib.Path
            The path written.

        Raises
        ------
        ValueError
            The ending is unknown, or a picture is asked of a report without a history.
        """
        return formats.write(
            Path(path),
            html=lambda: formats.to_html(self),
            image=lambda file_format: formats.to_image(self, file_format),
            json=self.to_json,
            text=lambda: str(self),
        )

    def _repr_html_(self) -> str:
        return formats.to_html_fragment(self)

"""The report of a diagnosis: ordered findings, and what was tested."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from diagnostics.finding import Finding, Severity
from diagnostics.history.history import History
from diagnostics.report import formats


@dataclass(frozen=True, repr=False)
class DiagnosisReport(formats.Document):
    """Findings, the most important first, with everything needed to trust their absence.

    Parameters
    ----------
    findings
        Ordered by severity, then from cause to symptom.
    tests_run
        The codes of all tests that could be carried out.
    margins
        For each test that found nothing, how near it came: statistic divided by threshold, 1 being
        the threshold.
    history
        The run that was judged, None when there was none.
    muted
        The codes of what was found and, as asked for, is not among the findings.
    """

    findings: tuple[Finding, ...]
    tests_run: tuple[str, ...] = ()
    margins: Mapping[str, float] = field(default_factory=dict)
    history: History | None = None
    muted: tuple[str, ...] = ()

    @property
    def primary(self) -> Finding | None:
        """The finding to act on first, None when there is none."""
        return self.findings[0] if self.findings else None

    @property
    def ok(self) -> bool:
        """Whether nothing of severity ``problem`` was found."""
        return all(finding.severity is not Severity.PROBLEM for finding in self.findings)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {'ok' if self.ok else 'PROBLEM'}  {self.headline}>"

    @property
    def headline(self) -> str:
        """The codes of the findings in one line."""
        return ", ".join(dict.fromkeys(self.codes)) or "nothing found"

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes of the findings, in order."""
        return tuple(finding.code for finding in self.findings)

    def __getitem__(self, code: str) -> Finding:
        """Return the finding with this code; KeyError when it was not found."""
        for finding in self.findings:
            if finding.code == code:
                return finding
        raise KeyError(f"no finding {code!r}; found: {', '.join(self.codes) or 'nothing'}")

    def __contains__(self, code: str) -> bool:
        return code in self.codes

    def __str__(self) -> str:
        parts = [str(finding) for finding in self.findings]
        if all(finding.severity is Severity.INFO for finding in self.findings):
            parts.insert(0, self.tests_in_words)
        elif self.muted:
            parts.append(self.muted_in_words)
        return "\n\n".join(parts)

    @property
    def muted_in_words(self) -> str:
        """What was found and muted, in words."""
        return f"Found, and muted: {', '.join(self.muted)}."

    @property
    def tests_in_words(self) -> str:
        """What was tested in vain, and the test that came nearest; what was found and muted."""
        before = f"{self.muted_in_words} " if self.muted else ""
        if "too_few_epochs" in self.codes:
            return f"{before}Cannot tell yet: {len(self.tests_run)} tests run on too few epochs."
        if "contested_loss" in self.codes:
            return f"{before}Cannot tell: a loss of this kind need not fall."
        nothing = "Nothing else" if self.muted else "Nothing wrong"
        text = f"{before}{nothing} found: {len(self.tests_run)} tests run"
        if not self.margins:
            return f"{text}."
        code, margin = max(self.margins.items(), key=lambda item: item[1])
        return f"{text}, the nearest to its threshold being {code} at {margin:.0%} of it."

    def to_dict(self) -> dict[str, Any]:
        """Return plain values only, ready for JSON."""
        return {
            "ok": self.ok,
            "primary": self.primary.code if self.primary else None,
            "muted": list(self.muted),
            "findings": [finding.to_dict() for finding in self.findings],
            "tests_run": list(self.tests_run),
            "margins": dict(self.margins),
            "history": None if self.history is None else self.history.summary(),
        }

    def _to_html(self) -> str:
        """One self-contained page: no scripts, no links, picture inline."""
        return self._page("report.html.j2")

    def _page(self, template: str, **pictures: str) -> str:
        """A template filled in, with the picture of the run where there is one."""
        picture = "" if self.history is None else formats.inline(self._curves("svg"))
        return formats.template(template).render(report=self, picture=picture, **pictures)

    def _repr_html_(self) -> str:
        """The findings alone, for notebooks."""
        return formats.template("findings.html.j2").render(report=self)

    def _to_image(self, file_format: str) -> bytes:
        return self._curves(file_format)

    def _curves(self, file_format: str) -> bytes:
        """The run with its findings drawn, as PNG or SVG."""
        if self.history is None:
            raise ValueError("this report has no history to draw: pass history= to investigate()")
        from diagnostics.report.plots import plot_history

        return formats.figure_to_bytes(plot_history(self.history, self.findings), file_format)

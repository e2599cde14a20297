"""What ``gradcheck diagnose`` prints, and when it fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from diagnostics.comparison import Comparison, compare
from diagnostics.diagnosis import diagnose
from diagnostics.finding import Severity
from diagnostics.history.history import History
from diagnostics.live import Monitor, follow
from diagnostics.report.report import DiagnosisReport

# So many unreadable places of a file are shown one by one.
MOST_PROBLEMS = 5
# So many columns that play no role are named.
MOST_NAMED = 12
NEVER = "never"
ENDINGS = (".html", ".json", ".png", ".svg", ".txt")


@dataclass(frozen=True)
class Request:
    """What the user asked for: the options of the command."""

    classes: int | None = None
    samples: int | None = None
    mute: tuple[str, ...] = ()
    fail_on: str = NEVER
    columns: Mapping[str, str] | None = None
    output: Path | None = None

    def __post_init__(self) -> None:
        if self.fail_on not in (*Severity, NEVER):
            raise ValueError(f"--fail-on {self.fail_on}: expected problem, warning, info or never")
        if self.output is not None and self.output.suffix.lower() not in ENDINGS:
            raise ValueError(f"--output {self.output}: the ending has to be {', '.join(ENDINGS)}")

    def diagnose(self, history: History) -> DiagnosisReport:
        """Diagnose one run."""
        return diagnose(history, classes=self.classes, samples=self.samples, mute=self.mute)

    def fails(self, *reports: DiagnosisReport) -> bool:
        """Whether something was found of the severity to fail on."""
        if self.fail_on == NEVER:
            return False
        worst = Severity(self.fail_on).rank
        return any(f.severity.rank <= worst for report in reports for f in report.findings)

    def write(self, report: DiagnosisReport | Comparison) -> Iterator[str]:
        """Write the report where the user wants it, and say so."""
        if self.output is not None:
            yield f"\nwritten to {report.save(self.output)}"


def run(
    paths: Sequence[Path],
    request: Request,
    say: Callable[[str], None],
    *,
    watch: float | None = None,
) -> bool:
    """Diagnose files and folders; return whether to fail.

    With ``watch`` the one file is followed, with so many seconds between looks at it.
    """
    if watch is not None:
        if len(paths) > 1 or paths[0].is_dir():
            raise ValueError("--watch follows one file")
        return _report_on(_watched(paths[0], request, say, watch), request, say)
    from diagnostics.history.readers import read_runs

    tables = {} if len(paths) > 1 else read_runs(paths[0])
    if len(tables) != 1:
        return _compared(paths, request, say)
    try:
        history = History.from_table(tables.popitem()[1], columns=request.columns)
    except ValueError as error:
        raise ValueError(f"{paths[0].name}: {error}") from error
    return _report_on(history, request, say)


def _report_on(history: History, request: Request, say: Callable[[str], None]) -> bool:
    """Diagnose one run."""
    report = request.diagnose(history)
    for line in [str(report), "", *how_read(history), *request.write(report)]:
        say(line)
    return request.fails(report)


def _watched(path: Path, request: Request, say: Callable[[str], None], seconds: float) -> History:
    """Follow a growing file until interrupted, and return what it holds then."""
    monitor = Monitor(
        classes=request.classes,
        samples=request.samples,
        mute=request.mute,
        tell=lambda finding: say(f"\n{finding}"),
    )
    history: History | None = None
    say(f"watching {path}; Ctrl-C ends and reports")
    try:
        for history in follow(path, seconds=seconds, columns=request.columns):
            monitor.look(history)
    except KeyboardInterrupt:
        say("")
    if history is None:
        raise ValueError(f"{path}: no training log appeared")
    return history


def how_read(history: History) -> Iterator[str]:
    """Say how a file was understood: what is what, what was decided, what was not read."""
    yield repr(history)
    yield from (f"note: {note}" for note in history.notes)
    unread = [str(problem) for problem in history.problems]
    yield from (f"not read: {problem}" for problem in unread[:MOST_PROBLEMS])
    if len(unread) > MOST_PROBLEMS:
        yield f"not read: {len(unread) - MOST_PROBLEMS} more places"
    others = [*history.summary()["other_columns"], *history.text]
    more = f" and {len(others) - MOST_NAMED} more" if len(others) > MOST_NAMED else ""
    if others:
        yield f"not judged: {', '.join(others[:MOST_NAMED])}{more}"


def _compared(paths: Sequence[Path], request: Request, say: Callable[[str], None]) -> bool:
    """Diagnose several runs."""
    comparison = compare(
        paths if len(paths) > 1 else paths[0],
        classes=request.classes,
        samples=request.samples,
        mute=request.mute,
        columns=request.columns,
    )
    for line in [str(comparison), *request.write(comparison)]:
        say(line)
    return request.fails(*comparison.reports.values())

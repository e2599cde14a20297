"""A progress bar for what takes long: on a terminal only, and only after a while."""

from __future__ import annotations

import sys
import threading
from typing import Any

# Seconds before a bar appears: what is quicker needs none.
PATIENCE = 2.0


class Progress:
    """Counts the steps of a piece of work, and shows them where somebody waits.

    Parameters
    ----------
    wanted
        True and False force the bar on and off; None shows it where stderr is a terminal. What is
        announced is shown elsewhere, too, unless it is False.

    Examples
    --------
    >>> with Progress(wanted=False) as progress:
    ...     progress.expect(1)
    ...     progress.begin("W")
    ...     progress.finish()
    """

    def __init__(self, wanted: bool | None = None) -> None:
        shown = sys.stderr.isatty() if wanted is None else wanted
        self._timer = threading.Timer(PATIENCE, self._show) if shown else None
        self._forced = wanted or None
        self._silent = wanted is False
        self._lock = threading.Lock()
        self._bar: Any = None
        self._task: Any = None
        self._expected = self._done = 0
        self._label = ""

    def __enter__(self) -> Progress:
        if self._timer is not None:
            self._timer.daemon = True
            self._timer.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        with self._lock:
            self._timer = None
            if self._bar is not None:
                self._bar.stop()

    def announce(self, text: str) -> None:
        """Write on stderr what will take long; the first time only, and not where forced off."""
        if not self._silent:
            self._silent = True
            sys.stderr.write(f"gradcheck: {text}\n")

    def expect(self, steps: int) -> None:
        """Reckon with ``steps`` more."""
        self._expected += steps
        self._update()

    def begin(self, label: str) -> None:
        """Say what is being done."""
        self._label = label
        self._update()

    def finish(self) -> None:
        """Count one step as done."""
        self._done += 1
        self._update()

    def _show(self) -> None:
        from rich.console import Console
        from rich.progress import Progress as Bar

        with self._lock:
            if self._timer is None:  # the work ended while the bar was being fetched
                return
            console = Console(stderr=True, force_terminal=self._forced)
            self._bar = Bar(console=console, transient=True)
            self._task = self._bar.add_task("gradcheck", total=None)
            self._bar.start()
        self._update()

    def _update(self) -> None:
        if self._bar is not None:
            self._bar.update(
                self._task,
                total=self._expected,
                completed=self._done,
                description=f"gradcheck {self._label}",
            )

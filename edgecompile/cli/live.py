"""The line on a terminal that shows a running stage; rich is imported when the first one appears."""

from __future__ import annotations

from typing import TextIO


class LiveLine:
    """A spinner, the stage, how far it is and for how long it has run; taken away by :meth:`close`."""

    def __init__(self, stream: TextIO | None, stage: str, detail: str, *, color: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        console = Console(file=stream, no_color=not color, highlight=False, markup=False)
        self._progress = Progress(
            TextColumn("{task.fields[stage]}", markup=False),
            SpinnerColumn("line"),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=10),
            TextColumn("{task.fields[what]}", markup=False),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._progress.add_task(detail, total=None, stage=stage, what="")
        self._progress.start()

    def update(self, done: int, total: int, what: str) -> None:
        """``done`` of ``total``, in words too; total 0: nobody knows how long it takes."""
        self._progress.update(self._task, completed=done, total=total or None, what=what)

    def say(self, text: str) -> None:
        """Write above the line, which stays."""
        self._progress.console.print(text, soft_wrap=True)

    def close(self) -> None:
        """Take the line away and leave the cursor where it began."""
        self._progress.stop()

"""Colour, progress and streams: results go to stdout, everything else to stderr."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TextIO

import click

from edgecompile.cli.live import LiveLine
from edgecompile.cli.options import asked, value_of
from edgecompile.cli.streams import is_terminal, prepare
from edgecompile.core.diagnostic import Diagnostic, Severity, escaped
from edgecompile.core.errors import EdgecompileError, RejectedError, bad_input
from edgecompile.core.folding import folded, wrapped
from edgecompile.core.units import format_duration

_STAGE_WIDTH = 9
_DETAIL_WIDTH = 34
# Of a line on a terminal: the stage, a spinner, a bar of ten, the time, and blanks between them.
_AROUND = _STAGE_WIDTH + 1 + 1 + 1 + 1 + 10 + 1 + 1 + 7
_PIPE_WIDTH = 80
_LONG_S = 1.0
_COLORS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTE: "cyan"}


@dataclass(kw_only=True)
class Console:
    """Where a command speaks; it is the :class:`~edgecompile.core.progress.Progress` of the stages.

    ``live``: a person looks at stderr, so a line that changes shows what is going on; elsewhere each finished
    stage is one line, and what is longer than 80 columns is folded. A closed stream swallows what is said to it.
    """

    stdout: TextIO | None
    stderr: TextIO | None
    color: bool = False
    live: bool = False
    json: bool = False
    quiet: bool = False
    verbose: bool = False
    debug: bool = False
    _line: LiveLine | None = field(default=None, init=False)
    _stage: tuple[str, str, float] = field(default=("", "", 0.0), init=False)

    @classmethod
    def for_command_line(cls, words: Sequence[str], environment: Mapping[str, str]) -> Console:
        """The console that the words, the environment (NO_COLOR, TERM, EDGECOMPILE_DEBUG) and the streams ask for."""
        stdout, stderr = prepare(sys.stdout), prepare(sys.stderr)
        able = is_terminal(stderr) and environment.get("TERM", "dumb") != "dumb"
        wish = value_of(words, "--color") or "auto"
        quiet = asked(words, "--quiet", "-q")
        return cls(
            stdout=stdout,
            stderr=stderr,
            color=wish == "always" or (wish != "never" and able and not environment.get("NO_COLOR")),
            live=able and not quiet,
            json=asked(words, "--json"),
            quiet=quiet,
            verbose=asked(words, "--verbose", "-v"),
            debug=asked(words, "--debug") or environment.get("EDGECOMPILE_DEBUG", "0") not in ("", "0"),
        )

    def begin(self, stage: str, detail: str) -> None:
        """A stage starts; on a terminal its line appears. Names of files may be in ``detail``: they are escaped."""
        detail = escaped(detail)
        self._stage = (stage, detail, time.monotonic())
        if self.live:
            self.close()
            self._line = LiveLine(self.stderr, f"{_titled(stage):>{_STAGE_WIDTH}}", detail, color=self.color)
        elif self.verbose:
            self.say(f"{_titled(stage):>{_STAGE_WIDTH}}  {detail} ...")

    def update(self, done: int, total: int, what: str) -> None:
        """Part of the running stage is done."""
        if self._line is not None:
            self._line.update(done, total, what)

    @property
    def room(self) -> int:
        """Characters that :meth:`update` may take so that the stage's line fits the terminal."""
        return self._width - _AROUND - len(self._stage[1])

    def aside(self, text: str) -> None:
        """Something to know while a stage runs: above its line, which stays."""
        if self._line is None or self.quiet:
            self.say(_fitted(text, self._width))
        else:
            self._line.say(_fitted(text, self._width))

    def end(self, summary: str) -> None:
        """The running stage is finished; it leaves one line."""
        stage, detail, started = self._stage
        duration_s = time.monotonic() - started
        self.close()
        if duration_s > _LONG_S or self.verbose:
            summary = f"{summary}, {format_duration(duration_s)}" if summary else format_duration(duration_s)
        line = f"{_titled(stage):>{_STAGE_WIDTH}}  {detail:<{_DETAIL_WIDTH}}  {escaped(summary)}".rstrip()
        self.say(_fitted(line, self._width))

    def result(self, text: str) -> None:
        """What was asked for, on stdout. Raises EC107 where stdout cannot take it; a reader gone away is no error."""
        self.close()
        if self.stdout is None:
            return
        try:
            print(text, file=self.stdout, flush=True)
        except BrokenPipeError:
            self.stdout = None
        except OSError as error:
            self.stdout = None
            reason = (error.strerror or str(error)).lower()
            raise bad_input(
                "EC107",
                f"the result cannot be written: {reason}",
                location="standard output",
                help=("make room where standard output goes, or send it elsewhere",),
            ) from error

    def say(self, text: str) -> None:
        """Something to know, on stderr; nothing with ``--quiet``."""
        if not self.quiet:
            self.write(text)

    def write(self, text: str) -> None:
        """Something that must be seen, on stderr; where stderr is gone there is nobody to tell."""
        self.close()
        if self.stderr is None:
            return
        try:
            print(text, file=self.stderr, flush=True)
        except (OSError, ValueError):
            self.stderr = None

    def diagnostics(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Errors always, the others unless ``--quiet``; folded to the width of the terminal."""
        for diagnostic in diagnostics:
            speak = self.write if diagnostic.severity is Severity.ERROR else self.say
            speak(self.painted(diagnostic))

    def report(self, text: str, color: str) -> None:
        """A rendered report on stderr: its first line, the verdict, in that colour, its diagnostics in theirs."""
        verdict, separator, rest = text.rstrip().partition("\n")
        lines = [self._painted_line(line) for line in self._folded(rest).split("\n")]
        self.say(self.paint(verdict, color) + separator + "\n".join(lines))

    def painted(self, diagnostic: Diagnostic) -> str:
        """A diagnostic as text, its first words in the colour of its severity."""
        first, separator, rest = self._folded(diagnostic.render()).partition("\n")
        return self._painted_line(first) + separator + rest

    def paint(self, text: str, color: str) -> str:
        """Bold and coloured, where colour is wanted."""
        return click.style(text, fg=color, bold=True) if self.color else text

    def failed(self, error: EdgecompileError) -> None:
        """How it ended when it did not work out; with ``--json`` on stdout as well."""
        self.diagnostics(error.diagnostics)
        self._failure("rejected" if isinstance(error, RejectedError) else "failed", error.diagnostics)

    def interrupted(self) -> None:
        """How it ended when somebody asked to stop."""
        self.write("interrupted; no output is left half written")
        self._failure("interrupted", ())

    def close(self) -> None:
        """Take the live line away."""
        line, self._line = self._line, None
        if line is not None:
            line.close()

    @property
    def _width(self) -> int:
        return shutil.get_terminal_size().columns if self.live else _PIPE_WIDTH

    def _folded(self, text: str) -> str:
        """Broken between words, where a terminal would break them inside; programs have ``--json``."""
        return "\n".join(folded(line, self._width) for line in text.split("\n"))

    def _painted_line(self, line: str) -> str:
        for severity, color in _COLORS.items():
            if line.startswith(f"{severity.value}["):
                head, separator, rest = line.partition(": ")
                return self.paint(head, color) + separator + rest
        return line

    def _failure(self, status: str, diagnostics: Iterable[Diagnostic]) -> None:
        if not self.json:
            return
        from edgecompile.report.json import dumps, failure

        try:
            self.result(dumps(failure(status, diagnostics)))
        except EdgecompileError as unheard:
            self.diagnostics(unheard.diagnostics)


def _titled(stage: str) -> str:
    """The stage with a capital in front; the rest as it is, as in `Verify C`."""
    return stage[:1].upper() + stage[1:]


def _fitted(line: str, width: int) -> str:
    """A stage's line broken to the width, below where its detail begins."""
    return line if len(line) <= width else "\n".join(wrapped(line, width, " " * (_STAGE_WIDTH + 2)))

"""What click finds wrong with a command line, said our way: what was found, what is known, the near name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NoReturn

import click

from edgecompile.core.errors import EdgecompileError, bad_input, did_you_mean

# Click names the words that are too many as in "Got unexpected extra argument (coral)".
_IN_BRACKETS = re.compile(r"^Got unexpected extra arguments? \((.*)\)")


def unknown_command(found: str, known: Sequence[str], program: str = "edgecompile") -> NoReturn:
    """Raise EC101 for a command that there is not; an option in its place is EC100."""
    if found.startswith("-"):
        raise bad_input("EC100", f"`{program}` has no option `{found}`", help=(f"see `{program} --help`",))
    near = did_you_mean(found, known)
    raise bad_input(
        "EC101",
        f"`{program}` has no command `{found}`",
        notes=(f"commands: {', '.join(known)}",),
        help=near or (f"see `{program} --help`",),
    )


def from_click(error: click.ClickException) -> EdgecompileError:
    """The diagnostic for a usage error that click raised; its exit code is 2."""
    if isinstance(error, click.NoSuchOption):
        return _no_such_option(error)
    if isinstance(error, click.MissingParameter):
        return _usage(error, "EC103", f"{_name(error)} is missing")
    if isinstance(error, click.BadParameter):
        return _bad_value(error)
    if isinstance(error, click.BadOptionUsage):
        return _usage(error, "EC104", _sentence(error))
    return _too_many_words(error)


def _too_many_words(error: click.ClickException) -> EdgecompileError:
    """A device that is named without its option is what happens most."""
    program, found = _program(error), _IN_BRACKETS.search(error.message)
    hints = ("devices are named with `--target`",) if "--target" in _options(getattr(error, "ctx", None)) else ()
    message = f"`{program}` takes no further argument `{found.group(1)}`" if found else _sentence(error)
    return _usage(error, "EC105", message, help=(*hints, f"see `{program} --help`"))


def _no_such_option(error: click.NoSuchOption) -> EdgecompileError:
    # Without the dashes, in which all names are alike.
    known = [name.lstrip("-") for name in _options(error.ctx)]
    near = did_you_mean(error.option_name.lstrip("-"), known)
    help = [line.replace("`", "`--", 1) for line in near] if error.option_name.startswith("--") else []
    return _usage(error, "EC100", f"`{_program(error)}` has no option `{error.option_name}`", help=help)


def _bad_value(error: click.BadParameter) -> EdgecompileError:
    """Not of the option's type, or none of its choices; the found value is in click's sentence."""
    kind = error.param.type if error.param else None
    choices = [str(choice) for choice in kind.choices] if isinstance(kind, click.Choice) else []
    notes = [f"choices: {', '.join(choices)}"] if choices else []
    found = error.message.split("'")[1] if error.message.count("'") > 1 else ""
    message = f"{_name(error)} cannot be `{found}`" if found else f"{_name(error)}: {_sentence(error)}"
    notes += [] if choices or not found else [_sentence(error)]
    return _usage(error, "EC102", message, notes, did_you_mean(found, choices))


def _usage(
    error: click.ClickException, code: str, message: str, notes: Iterable[str] = (), help: Iterable[str] = ()
) -> EdgecompileError:
    remedies = tuple(help) or (f"see `{_program(error)} --help`",)
    return bad_input(code, message, location=_program(error), notes=notes, help=remedies)


def _program(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    return context.command_path if context else "edgecompile"


def _options(context: click.Context | None) -> list[str]:
    if context is None:
        return []
    return [name for parameter in context.command.get_params(context) for name in parameter.opts if name[:1] == "-"]


def _name(error: click.BadParameter) -> str:
    parameter = error.param
    if parameter is None:
        return "a value"
    return (
        f"`{max(parameter.opts, key=len)}`"
        if isinstance(parameter, click.Option)
        else f"`{parameter.human_readable_name}`"
    )


def _sentence(error: click.ClickException) -> str:
    """Click's own words in our form: lower case, no full stop, names in backticks."""
    text = error.format_message().rstrip(".").replace("'", "`")
    return text[:1].lower() + text[1:]

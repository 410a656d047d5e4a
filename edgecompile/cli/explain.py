"""`edgecompile explain CODE`: the page behind a diagnostic."""

from __future__ import annotations

import click

from edgecompile.cli import completion
from edgecompile.cli.console import Console
from edgecompile.cli.options import shared_options
from edgecompile.core import folding
from edgecompile.core.errors import bad_input, did_you_mean

_WIDTH = 80


@click.command("explain", short_help="Explain a diagnostic and the way out.")
@click.argument("code", required=False, shell_complete=completion.codes)
@shared_options
@click.pass_obj
def command(console: Console, code: str | None, as_json: bool) -> None:
    """Explain a diagnostic: an input that triggers it, why it matters, how out.

    CODE is what stands in brackets after `error`, such as EC100; without one, every code is listed.
    """
    from edgecompile.explanations import codes

    if code is None:
        _list(console, codes(), as_json)
    else:
        _show(console, _known(code, codes()), as_json)


def _list(console: Console, codes: tuple[str, ...], as_json: bool) -> None:
    from edgecompile.explanations import title
    from edgecompile.report.json import dump_object

    titles = {code: title(code) for code in codes}
    console.result(dump_object(titles) if as_json else "\n".join(f"{code}  {text}" for code, text in titles.items()))


def _show(console: Console, code: str, as_json: bool) -> None:
    from edgecompile.explanations import page, title
    from edgecompile.report.json import dump_object

    text = page(code).rstrip()
    plain = {"code": code, "title": title(code), "page": text}
    console.result(dump_object(plain) if as_json else folding.page(text, _WIDTH))


def _known(code: str, codes: tuple[str, ...]) -> str:
    """The code as it is written: `ec101`, `101` and `error[EC101]` mean EC101. Raises EC108 for one we do not have."""
    digits = "".join(letter for letter in code if letter.isdigit())
    spelled = f"EC{digits}"
    if spelled in codes:
        return spelled
    near = did_you_mean(spelled, codes)
    raise bad_input("EC108", f"no diagnostic has the code `{code}`", help=near or ("see `edgecompile explain`",))

"""The entry point; it imports everything else inside, so that Ctrl-C during start-up is quiet as well."""

from __future__ import annotations


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and give the exit code; ``arguments`` None: those of the process."""
    try:
        from edgecompile.cli.application import run

        return run(arguments)
    except KeyboardInterrupt:
        return 130

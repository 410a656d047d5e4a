"""The entry point; it imports everything else inside, so that Ctrl-C during start-up is quiet as well."""

from __future__ import annotations


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and give the exit code; ``arguments`` None: those of the process."""
    try:
        import os
        import signal

        from edgecompile.cli.application import run
        from edgecompile.cli.completion import complete

        answered = complete(os.environ) if arguments is None else None
        code = run(arguments) if answered is None else answered
        if arguments is None:
            # All is said; a late Ctrl-C ends the process as the system does it, instead of with a traceback.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        return code
    except KeyboardInterrupt:
        return 130

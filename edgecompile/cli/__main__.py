"""`python -m edgecompile.cli`: the same as the `edgecompile` command."""

from __future__ import annotations

import sys

from edgecompile.cli.main import main

if __name__ == "__main__":
    sys.exit(main())

"""Mutate files as `fuzz` does, one reader a run, guided by the coverage of our code: needs `pip install atheris`."""

from __future__ import annotations

import argparse
import random
import signal
import sys
from pathlib import Path
from types import ModuleType

# Where readers and what they use are: what a mutation reaches there is what it is kept for.
INSTRUMENTED = ["edgecompile.ir", "edgecompile.config", "edgecompile.frontend", "edgecompile.libs"]


def main() -> None:
    """Run until the executions or seconds are over; inputs that reach new code are kept in the corpus folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reader", default="tflite reader", metavar="WORD", help="the first whose name has the word")
    parser.add_argument("--executions", type=int, default=100_000, metavar="N")
    parser.add_argument("--seconds", type=int, default=600, metavar="S")
    parser.add_argument("--corpus", type=Path, default=Path("build/corpus"), metavar="DIR", help="what it finds")
    wish = parser.parse_args()
    atheris = _atheris()
    with atheris.instrument_imports(include=INSTRUMENTED):
        import fuzz
        from _fuzz_run import TooLongError, meet
    found = [one for one in fuzz.readers() if wish.reader in one.name and not one.slow]
    if not found:
        sys.exit(f"no reader is called {wish.reader}; there are: {', '.join(one.name for one in fuzz.readers())}")
    reader = found[0]

    def late(*_: object) -> None:
        raise TooLongError

    def one(content: bytes) -> None:
        signal.signal(signal.SIGVTALRM, late)
        _, finding = meet(reader, content)
        if finding:
            raise AssertionError(finding)

    def mutated(content: bytes, most: int, seed: int) -> bytes:
        draw = random.Random(seed)
        if content and draw.random() < 0.3:
            reader.learn(content)
        return reader.make(draw)[:most]

    print(f"reader: {reader.name}", file=sys.stderr)
    folder = wish.corpus / "".join(letter if letter.isalnum() else "-" for letter in reader.name)
    folder.mkdir(parents=True, exist_ok=True)
    words = [f"-runs={wish.executions}", f"-max_total_time={wish.seconds}", "-max_len=65536", "-print_final_stats=1"]
    atheris.Setup(
        [sys.argv[0], *words, f"-artifact_prefix={folder.parent}/finding-", str(folder)], one, custom_mutator=mutated
    )
    atheris.Fuzz()


def _atheris() -> ModuleType:
    try:
        import atheris
    except ImportError:
        sys.exit("coverage is measured by atheris, which is not installed: pip install 'edgecompile[fuzz]'")
    found: ModuleType = atheris
    return found


if __name__ == "__main__":
    main()

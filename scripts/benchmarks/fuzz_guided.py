"""Mutate models as `fuzz` does, guided by coverage: needs `pip install atheris`."""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path

CORPUS = Path(__file__).resolve().parents[2] / "tests" / "ir" / "corpus"


def main() -> None:
    """Run until the executions or seconds are over; inputs that reach new code are kept in the corpus folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--executions", type=int, default=100_000, metavar="N")
    parser.add_argument("--seconds", type=int, default=600, metavar="S")
    parser.add_argument("--corpus", type=Path, default=Path("build/corpus"), metavar="DIR", help="what it finds")
    wish = parser.parse_args()
    try:
        import atheris
    except ImportError:
        sys.exit("coverage is measured by atheris, which is not installed: pip install 'edgecompile[fuzz]'")
    with atheris.instrument_imports(include=["edgecompile.ir"]):
        from _fuzz_flat import Flatbuffers
        from _fuzz_run import meet
    reader = Flatbuffers()

    def one(content: bytes) -> None:
        _, finding = meet(reader, content)
        if finding:
            raise AssertionError(finding)

    def mutated(content: bytes, most: int, seed: int) -> bytes:
        draw = random.Random(seed)
        if draw.random() < 0.3:
            reader.learn(content)
        return reader.make(draw)[:most]

    wish.corpus.mkdir(parents=True, exist_ok=True)
    words = [f"-runs={wish.executions}", f"-max_total_time={wish.seconds}", "-max_len=16384", "-print_final_stats=1"]
    folders = [str(folder) for folder in (wish.corpus, CORPUS) if folder.is_dir()]
    atheris.Setup([sys.argv[0], *words, *folders], one, custom_mutator=mutated)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

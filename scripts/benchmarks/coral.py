"""The Edge TPU predicted and compared with the real one: --pairs FILE (JSON), --latency, --support (tables)."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import coral_latency
from _coral_support import support
from _shared import data_folder, table

from edgecompile.config.profiles import load
from edgecompile.ir.network import Network
from edgecompile.ir.reader import read
from edgecompile.legalize.check import Verdict, check
from edgecompile.measure.prediction import predict

CORAL = load("coral")
PARAMETERS = 0.02
CACHE = 0.03


def main() -> int:
    """Print what was asked for; exit 1 where a limit of the issue is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=Path, help="a file in the format of ground_truth.json")
    parser.add_argument("--latency", action="store_true", help="leave-one-out errors over measured networks")
    parser.add_argument(
        "--support", action="store_true", help="on how many pairs each rule rests that is not documented"
    )
    parser.add_argument("--facts", type=Path, help="coral_latency.json  [default: the one beside the data folder]")
    asked = parser.parse_args()
    if asked.latency:
        facts = asked.facts or data_folder().parent / "facts" / "coral_latency.json"
        return coral_latency.main(json.loads(facts.read_text(encoding="utf-8")))
    file = asked.pairs or data_folder() / "coral" / "ground_truth.json"
    pairs = json.loads(file.read_text(encoding="utf-8"))["pairs"]
    if asked.support:
        print(table(support(pairs, file.parent, CORAL)))
        return 0
    found = compare(pairs, file.parent)
    print(json.dumps(found, indent=1))
    return 0


def compare(pairs: list[dict[str, Any]], folder: Path) -> dict[str, Any]:
    """The counts that the issue names, and every miss with what was predicted and what is true."""
    names = ("mapping_exact", "operators_with_log", "status_exact")
    counts = dict.fromkeys((*names, "parameter_bytes_within_2pct", "cached_streamed_within_3pct"), 0)
    compared_caches, misses = 0, []
    for pair in pairs:
        try:
            network = read((folder / pair["file"]).read_bytes(), pair["file"])
            verdict = check(network, CORAL, pair["file"])
        except Exception as error:
            misses.append({"id": pair["id"], "what": "read", "error": f"{type(error).__name__}: {error}"})
            continue
        misses += _mapping(pair, verdict, counts)
        misses += _statuses(pair, verdict, counts)
        misses += _memory(pair, network, verdict, counts)
        compared_caches += pair["kind"] != "cocompiled"
    return {"pairs": len(pairs), **counts, "cached_streamed_compared": compared_caches, "misses": misses}


def _mapping(pair: dict[str, Any], verdict: Verdict, counts: dict[str, int]) -> list[dict[str, Any]]:
    mine = {placed.operator for placed in verdict.placements if placed.where != CORAL.placement.accelerator}
    theirs = {operator["index"] for operator in pair["cpu_ops"]}
    counts["mapping_exact"] += mine == theirs
    wrong = sorted(mine ^ theirs)
    named = {placed.operator: f"{placed.operator} {placed.name}" for placed in verdict.placements}
    row = {"id": pair["id"], "what": "mapping", "operators": [named.get(index, str(index)) for index in wrong]}
    return [row] if wrong else []


def _statuses(pair: dict[str, Any], verdict: Verdict, counts: dict[str, int]) -> list[dict[str, Any]]:
    if not pair["compiler_log"]:
        return []
    mine = Counter((placed.name, placed.status) for placed in verdict.placements)
    theirs: Counter[tuple[str, str]] = Counter()
    for row in pair["compiler_log"]["statuses"]:
        theirs[row["op"], row["status"]] += row["count"]
    counts["operators_with_log"] += sum(theirs.values())
    counts["status_exact"] += sum((mine & theirs).values())
    wrong = {"predicted": _plain(mine - theirs), "log": _plain(theirs - mine)}
    return [{"id": pair["id"], "what": "status", **wrong}] if mine != theirs else []


def _plain(counter: Counter[tuple[str, str]]) -> list[str]:
    return [f"{count} {name}: {status}" for (name, status), count in sorted(counter.items())]


def _memory(pair: dict[str, Any], network: Network, verdict: Verdict, counts: dict[str, int]) -> list[dict[str, Any]]:
    running = [p.operator for p in verdict.placements if p.where == CORAL.placement.accelerator and p.subgraph == 0]
    measures = {measure.name: measure.value for measure in predict([(network, running)], CORAL)[0].measures}
    mine = {"cached": measures["cached_bytes"], "streamed": measures["streamed_bytes"]}
    package = pair["package"]
    theirs = {"cached": package["params_cached_bytes"], "streamed": package["params_streamed_bytes"]}
    total, true = sum(mine.values()), sum(theirs.values())
    whole = abs(total - true) <= PARAMETERS * true
    counts["parameter_bytes_within_2pct"] += whole
    rows = [] if whole else [{"id": pair["id"], "what": "parameter bytes", "predicted": total, "true": true}]
    if pair["kind"] == "cocompiled":
        return rows
    shared = all(abs(mine[name] - theirs[name]) <= CACHE * theirs[name] for name in mine)
    counts["cached_streamed_within_3pct"] += shared
    return (
        rows
        if shared
        else [*rows, {"id": pair["id"], "what": "cached and streamed", "predicted": mine, "true": theirs}]
    )


if __name__ == "__main__":
    sys.exit(main())

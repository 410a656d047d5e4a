"""The least runtime of an app: operators lowered to versions that it knows, and what stays too new for it."""

from __future__ import annotations

from dataclasses import replace

from edgecompile.core.diagnostic import Location
from edgecompile.core.errors import EdgecompileError, bad_input, rejected
from edgecompile.core.target import Target
from edgecompile.ir.network import Network, Operator
from edgecompile.ir.runtimes import NEWEST, OLDEST, Release, first_runtime, least_runtime
from edgecompile.legalize.naming import ranges
from edgecompile.legalize.rewrites._site import Site, rewrite
from edgecompile.legalize.rewrites.lower_versions import least_version

_SOURCE = "google-ai-edge/LiteRT commit 05215c2, tflite/tools/versioning/runtime_version.cc"


def parse_release(text: str) -> Release:
    """``2.14`` or ``2.14.0`` as (2, 14). Raises BadInputError EC761 for what is not a release of TensorFlow Lite."""
    parts = text.strip().split(".")
    plain = len(parts) in (2, 3) and all(part.isascii() and part.isdigit() and len(part) < 5 for part in parts)
    release = (int(parts[0]), int(parts[1])) if plain else (0, 0)
    if plain and (OLDEST <= release < (2, 100)):
        return release
    raise bad_input(
        "EC761",
        f"`{text}` is not a release of TensorFlow Lite",
        notes=(f"releases: {shown(OLDEST)} to {shown(NEWEST)} and later",),
        help=("give the number of org.tensorflow:tensorflow-lite; for LiteRT 1.0 and later give 2.17",),
    )


def lower_for(network: Network, target: Target, release: Release) -> tuple[Network, int]:
    """The network with operators in the versions that their settings need, where the runtime does not know theirs.

    The version says what a reader must know, not what is computed: every bit of the outputs stays. Gives how many
    operators were lowered.
    """

    def step(site: Site) -> tuple[Operator, ...] | None:
        operator = site.operator
        if first_runtime(operator.name, operator.version) <= release:
            return None
        needed = least_version(site)
        return None if needed is None or needed >= operator.version else (replace(operator, version=needed),)

    changed, words = rewrite(network, target, step)
    return changed, len(words)


def too_new(network: Network, release: Release, model_name: str) -> EdgecompileError | None:
    """EC758 where the network needs a newer runtime; None where the runtime reads it."""
    least, _ = least_runtime(network)
    if least <= release:
        return None
    operators = network.main.operators
    newer = [i for i, one in enumerate(operators) if first_runtime(one.name, one.version) > release]
    kinds: dict[tuple[str, int], list[int]] = {}
    for index in newer:
        kinds.setdefault((operators[index].name, operators[index].version), []).append(index)
    return rejected(
        "EC758",
        f"the model needs TensorFlow Lite {shown(least)}, and the app may run on {shown(release)}",
        Location(file=model_name, operator=newer[0] if newer else None),
        notes=(
            *(
                f"`{name}` version {version} ({ranges(found)}) came with {shown(first_runtime(name, version))}"
                for (name, version), found in kinds.items()
            ),
            f"source: {_SOURCE}",
        ),
        help=(
            f"ship a runtime of {shown(least)} or later, and say so with `--min-runtime {shown(least)}`",
            "or replace these operators; per-channel dense layers and int4 weights need newer versions than plain ones",
        ),
    )


def shown(release: Release) -> str:
    """``2.14``."""
    return f"{release[0]}.{release[1]}"

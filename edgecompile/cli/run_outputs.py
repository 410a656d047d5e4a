"""What a run gave: written to a file, and its first samples on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from edgecompile.cli.files import beside
from edgecompile.core.errors import bad_input

_SHOWN = 10


def save_outputs(save: str, named: dict[str, Any]) -> None:
    """Write the outputs, whole or not at all. Raises EC107 where they cannot be written."""
    try:
        with beside(save) as part, part.open("wb") as stream:
            np.savez(stream, **named)
    except (OSError, ValueError) as error:
        reason = ((error.strerror if isinstance(error, OSError) else None) or str(error)).lower()
        raise bad_input(
            "EC107",
            f"`{save}` cannot be written: {reason}",
            location=save,
            help=("name a file in a folder that is there and may be written, after `--save`",),
        ) from error


def shown(named: dict[str, Any], dtypes: dict[str, str], labels: Sequence[str] = ()) -> list[str]:
    """The first samples: the largest value of a vector and where it is, else the value.

    ``labels``: names of the places of an output that has as many.
    """
    lines = []
    for name, array in named.items():
        lines.append(f"{name} {dtypes[name]}{list(array.shape)}")
        for index, value in enumerate(array[:_SHOWN]):
            flat = value.reshape(-1)
            at = int(flat.argmax()) if flat.size else 0
            called = f" ({labels[at]})" if flat.size == len(labels) else ""
            best = f"largest {flat.max():.4g} at {at}{called}" if flat.size else "empty"
            lines.append(f"  sample {index}: {flat[0]:.6g}" if flat.size == 1 else f"  sample {index}: {best}")
        if len(array) > _SHOWN:
            lines.append(f"  and {len(array) - _SHOWN} more; `--save FILE.npz` or `--json` give all")
    return lines

"""What a runner is given: the image, the board, and what is wished for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Commands = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Task:
    """``image`` is the path without suffix: beside ``.elf`` there is ``.bin``, raw from ``address`` on.

    ``board``: the profile's table. ``probe``: which one, None where there is only one. ``verify``: compare what was
    written. ``run``: start the self-test and read what it says, for at most ``timeout_s``.
    """

    image: Path
    address: int
    board: Mapping[str, Any]
    probe: str | None = None
    verify: bool = False
    run: bool = False
    timeout_s: float = 60.0

    @property
    def elf(self) -> str:
        """The image as ELF."""
        return f"{self.image}.elf"

    @property
    def raw(self) -> str:
        """The image as raw bytes."""
        return f"{self.image}.bin"

"""What the application's image takes on the device: flash, RAM, stack."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgecompile.core.report import Measure
from edgecompile.core.units import group
from edgecompile.measure.board import elf, image, stack


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Of the image without a self-test, with everything it is linked from. ``compiler``: its name and version."""

    flash_bytes: int
    ram_bytes: int
    stack: stack.Bound
    compiler: str

    def measures(self) -> tuple[Measure, ...]:
        """``flash_bytes``, ``ram_bytes``, ``stack_bytes`` as reports carry them."""
        made = f"counted in the image app.elf that {self.compiler} made"
        if self.stack.size_bytes is None:
            chain = f"counted: no bound, {self.stack.reason}"
        else:
            chain = f"counted from -fstack-usage and the calls of app.elf: {' > '.join(self.stack.chain)}"
        return (
            Measure(name="flash_bytes", value=self.flash_bytes, unit="bytes", method=f"{made}: code and constants"),
            Measure(
                name="ram_bytes",
                value=self.ram_bytes,
                unit="bytes",
                method=f"{made}: .data, .bss and the arena, no stack",
            ),
            Measure(name="stack_bytes", value=self.stack.size_bytes, unit="bytes", method=chain),
        )

    def over(self, ram_limit_bytes: int) -> str | None:
        """By how much RAM and stack are more than a memory of that size, in words; None where they fit."""
        deep = self.stack.size_bytes or 0
        total = self.ram_bytes + deep
        if total <= ram_limit_bytes:
            return None
        return f"RAM: {group(total - ram_limit_bytes)} bytes too many, {group(deep)} of stack counted"


def figures(firmware: Path, out: Path, linker: Path | None = None) -> Figures:
    """Build the application and count. Raises what :func:`image.build` raises."""
    image.build(firmware, ["app"], out, linker)
    found = elf.read(out / "app.elf")
    return Figures(
        flash_bytes=found.flash_bytes,
        ram_bytes=found.ram_bytes,
        stack=stack.bound(out / "app.elf", out),
        compiler=image.compiler_version(),
    )

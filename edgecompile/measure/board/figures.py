"""What the application's image takes on the device: flash, RAM, stack."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgecompile.core.report import Measure
from edgecompile.core.units import counted, group
from edgecompile.measure.board import elf, image, stack


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Of an image without a self-test, with everything it is linked from. ``ram_bytes``: data and arena, no stack.

    ``compiler``: its name and version; ``image``: what was linked.
    """

    flash_bytes: int
    ram_bytes: int
    stack: stack.Bound
    compiler: str
    image: str = "the image app.elf"
    core: str = ""

    @property
    def needed_ram_bytes(self) -> int:
        """Data, arena, and the stack as far as it is bounded."""
        return self.ram_bytes + (self.stack.size_bytes or 0)

    @property
    def summary(self) -> str:
        """Flash, RAM and stack in a line."""
        stack = "no stack bound" if self.stack.size_bytes is None else f"{group(self.stack.size_bytes)} of it stack"
        return f"{group(self.flash_bytes)} bytes of flash, {group(self.needed_ram_bytes)} of RAM, {stack}"

    def measures(self) -> tuple[Measure, ...]:
        """``flash_bytes``, ``ram_bytes``, ``stack_bytes`` as reports carry them."""
        linked = f" (linked for {self.core} by {self.compiler})" if self.core else f" (linked by {self.compiler})"
        made = f"measured{linked}: {self.image}"
        stack = self.stack.size_bytes
        if stack is None:
            chain, deep = f"measured: no bound, {self.stack.reason}", "a stack that has no bound"
        else:
            chain = f"measured{linked}: -fstack-usage along the calls {' > '.join(self.stack.chain)}"
            deep = f"{group(stack)} B of stack"
        ram = f"{made}, {group(self.ram_bytes)} B of .data, .bss and arena, and {deep}"
        return (
            Measure(name="flash_bytes", value=self.flash_bytes, unit="bytes", method=f"{made}, code and constants"),
            Measure(name="ram_bytes", value=self.needed_ram_bytes, unit="bytes", method=ram),
            Measure(name="stack_bytes", value=stack, unit="bytes", method=chain),
        )

    def over(self, ram_limit_bytes: int) -> str | None:
        """By how much RAM and stack are more than a memory of that size, in words; None where they fit."""
        total, deep = self.needed_ram_bytes, self.stack.size_bytes or 0
        if total <= ram_limit_bytes:
            return None
        return f"RAM: {counted(total - ram_limit_bytes, 'byte')} too many, {group(deep)} of stack counted"


def figures(firmware: Path, out: Path, linker: Path | None = None, core: str = "") -> Figures:
    """Build the application for a ``core``, as people call it, and count. Raises what :func:`image.build` raises."""
    image.build(firmware, ["app"], out, linker)
    found = elf.read(out / "app.elf")
    return Figures(
        flash_bytes=found.flash_bytes,
        ram_bytes=found.ram_bytes,
        stack=stack.bound(out / "app.elf", out),
        compiler=image.compiler_version(),
        core=core,
    )

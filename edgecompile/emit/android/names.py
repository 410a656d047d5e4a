"""Names of classes, packages and parameters made of whatever a model and its tensors are called."""

from __future__ import annotations

import re
from collections.abc import Iterable

from edgecompile.core.errors import bad_input
from edgecompile.emit.c_names import identifier

# Words of Java, Kotlin and C++ that no parameter may have, and the names that the templates use themselves.
_TAKEN = frozenset(
    re.findall(
        r"\w+",
        """
    abstract alignas alignof and as asm assert auto bool boolean break byte case catch char class concept const
    constexpr continue decltype default delete do double else enum explicit export extern false final finally float
    for friend fun goto if implements import in inline instanceof int interface is long mutable namespace native new
    noexcept not null nullptr object operator or override package private protected public register requires return
    short signed sizeof static strictfp struct super switch synchronized template this throw throws transient true
    try typealias typedef typename typeof union unsigned using val var virtual void volatile when while xor
    interpreter results model options value values
    """,
    )
)
# Classes that the templates use, and those that Java and Kotlin know without an import.
_CLASSES = frozenset(
    re.findall(
        r"\w+",
        """
    ArrayList AssetFileDescriptor AutoCloseable ByteBuffer ByteOrder Collections Context FileChannel FileInputStream
    GpuDelegate HashMap IOException Interpreter List Map Math Object Outputs String
    Any Array Boolean BooleanArray Byte ByteArray Char Class Deprecated Double Enum Error Exception Float FloatArray
    IllegalArgumentException Int IntArray Integer Iterable JvmField JvmStatic Long LongArray Nothing Number Override
    Record Short ShortArray Suppress SuppressWarnings System Thread Throwable Unit Void
    """,
    )
)
_PACKAGE = re.compile(r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$")


def class_name(name: str) -> str:
    """``kws-small`` as ``KwsSmall``. Raises EC620 when no letter or digit is left."""
    joined = "".join(word[:1].upper() + word[1:] for word in identifier(name).split("_"))
    return f"{joined}Model" if joined in _CLASSES else joined


def parameters(names: Iterable[str], otherwise: str, taken: Iterable[str] = ()) -> tuple[str, ...]:
    """Lower camel case, no keyword, distinct also from ``taken``; ``otherwise`` and the position for names without
    a letter."""
    there, found = {name.lower() for name in taken}, []
    for position, name in enumerate(names):
        plain = _camel(name) or f"{otherwise}{position}"
        plain = f"{plain}Value" if plain in _TAKEN else plain
        while plain.lower() in there:
            plain += f"{otherwise.capitalize()}{position}"
        there.add(plain.lower())
        found.append(plain)
    return tuple(found)


def check_package(package: str) -> str:
    """The package itself. Raises BadInputError EC691 for what Java would not take."""
    words = package.split(".")
    if _PACKAGE.match(package) and not _TAKEN.intersection(words):
        return package
    raise bad_input(
        "EC691",
        f"`{package}` is no Java package",
        "[android] package",
        notes=("limit: two or more lower-case words with dots between, none of them a keyword", f"found: {package}"),
        help=("name it like the app, as in `org.example.digits`",),
    )


def _camel(name: str) -> str:
    # `serving_default_image:0` is what converters call the input `image`.
    plain: str = re.sub(r":\d+$", "", name).removeprefix("serving_default_")
    plain = plain if not plain.startswith(("StatefulPartitionedCall", "PartitionedCall")) else ""
    words: list[str] = re.findall(r"[A-Za-z0-9]+", plain.encode("ascii", "ignore").decode())
    if not words or not words[0][0].isalpha():
        return ""
    first = words[0]
    head = first.lower() if first.isupper() else first[:1].lower() + first[1:]
    return head + "".join(word[:1].upper() + word[1:] for word in words[1:])

"""The model's name as a C identifier."""

from __future__ import annotations

import re
import unicodedata

from edgecompile.core.errors import bad_input

# Headers of the C standard library (ISO/IEC 9899:2011, 7.1.2), which `NAME.h` would hide, and sources that are written
# beside `NAME.c` or linked with it.
_HEADERS = """
assert complex ctype errno fenv float inttypes iso646 limits locale math setjmp signal stdalign stdarg stdatomic stdbool
stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar wchar wctype
"""
_OURS = "model_data model_operators main memory run self_test semihosting startup"
TAKEN = frozenset((*_HEADERS.split(), *_OURS.split()))


def identifier(name: str) -> str:
    """``name`` in ASCII letters, digits and single underscores, lower case: the front part of C symbols.

    Accents are dropped; a digit at the start, or the name of a file that is there already (``string``, ``main``), gets
    ``model_`` before it. It is meant to be continued (``kws_model_data``), so keywords do no harm. Raises
    BadInputError EC620 when no letter or digit is left.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")
    if not words:
        raise bad_input(
            "EC620",
            f"the model's name `{name}` makes no C identifier",
            notes=("C names are made of the letters a to z, digits and underscores",),
            help=("rename the model file, for instance to `model.keras`",),
        )
    return words if words[0].isalpha() and words not in TAKEN else f"model_{words}"

"""A :class:`~edgecompile.ir.network.Network` to the bytes of a ``.tflite`` file."""

from __future__ import annotations

from edgecompile.ir import trailer
from edgecompile.ir.encode import Encoded
from edgecompile.ir.network import Network
from edgecompile.ir.pack import pack

_ROOM_BYTES = 4096


def write(network: Network) -> bytes:
    """The file's bytes: the same for the same network, every constant aligned to 16 bytes.

    ``read(write(network))`` equals the network field by field, and writing that gives the same
    bytes. Raises ValueError for a network that no file can hold, such as an operator name or a
    setting that TFLite does not have: a fault of the pass that made it.
    """
    encoded = Encoded(network)
    size_hint = _ROOM_BYTES + sum(len(item.data) + 64 for item in encoded.model.buffers or () if not item.outside)
    content = pack(encoded.model, encoded.outside, size_hint)
    return content + trailer.attach(network.trailer, len(content))

"""Blocks of an image moved into batch or channels and back, and images resized."""

from __future__ import annotations

from collections.abc import Callable

from edgecompile.compress.simulate.call import Call, Value


def space_to_batch(call: Call) -> Value:
    """Blocks to batch. TensorFlow puts the place in a block in front of all samples; the network, behind its own."""
    tf, batch = call.tf, call.values[0].shape[1]
    block = call.ints(1)
    moved = tf.space_to_batch(call.images(0), block, call.known(2).reshape(-1, 2))
    places = _product(block)
    size = moved.shape[1:]
    apart = tf.reshape(moved, [places, -1, batch, *size])
    order = [1, 0, *range(2, len(apart.shape))]
    return tf.reshape(tf.transpose(apart, order), [call.samples(0), places * batch, *size])


def batch_to_space(call: Call) -> Value:
    """The inverse, with borders cut off."""
    tf, value = call.tf, call.values[0]
    block, places = call.ints(1), _product(call.ints(1))
    batch, size = value.shape[1] // places, value.shape[2:]
    apart = tf.reshape(value, [-1, places, batch, *size])
    order = [1, 0, *range(2, len(apart.shape))]
    merged = tf.reshape(tf.transpose(apart, order), [-1, *size])
    moved = tf.batch_to_space(merged, block, call.known(2).reshape(-1, 2))
    return tf.reshape(moved, [call.samples(0), batch, *moved.shape[1:]])


def _resize(name: str) -> Callable[[Call], Value]:
    def operator(call: Call) -> Value:
        resized = getattr(call.tf.raw_ops, name)(
            images=call.images(0),
            size=call.ints(1),
            align_corners=bool(call.option("align_corners")),
            half_pixel_centers=bool(call.option("half_pixel_centers")),
        )
        return call.unmerge(resized, 0)

    return operator


def space_to_depth(call: Call) -> Value:
    """Blocks to channels."""
    return call.unmerge(call.tf.nn.space_to_depth(call.images(0), call.option("block_size")), 0)


def depth_to_space(call: Call) -> Value:
    """Channels to blocks."""
    return call.unmerge(call.tf.nn.depth_to_space(call.images(0), call.option("block_size")), 0)


def _product(sizes: list[int]) -> int:
    product = 1
    for size in sizes:
        product *= size
    return product


IMPLEMENTED = {
    "SPACE_TO_BATCH_ND": space_to_batch,
    "BATCH_TO_SPACE_ND": batch_to_space,
    "RESIZE_BILINEAR": _resize("ResizeBilinear"),
    "RESIZE_NEAREST_NEIGHBOR": _resize("ResizeNearestNeighbor"),
    "SPACE_TO_DEPTH": space_to_depth,
    "DEPTH_TO_SPACE": depth_to_space,
}
MOVES = frozenset(IMPLEMENTED) - {"RESIZE_BILINEAR"}

"""Random 3x3 convolutions of stride 2 that the fast FIR algorithm runs: random_layers.py has few of them."""

import numpy as np

from squeezenet_mcu.convert.network import ConvKernel, Encoding, Network
from squeezenet_mcu.convert.select.cost.shape import shape_of
from squeezenet_mcu.convert.select.estimate import model_of
from tests.kernels.random_builder import Builder, Draw
from tests.kernels.random_layers import extent, fills_its_window

_MAX_MACS = 1_000_000
_MAX_BATCH = 8
# An inner row and column of a tile's differences are of pixels that are two apart.
_FAR_APART = np.array([-128, -128, 127, 127], np.int8)


def strided(seed: int) -> tuple[Network, np.ndarray]:
    """One or two such convolutions side by side, with random scratch and rows at once, and an image."""
    draw = Draw(seed)
    while True:
        build, batch = _layers(draw)
        x, out = build.buffers
        if build.macs <= _MAX_MACS and all(fills_its_window(la, x, out, batch) for la in build.layers):
            break
    for layer in build.layers:
        shape = shape_of(layer, x, out, batch)
        model = model_of("dsp", ConvKernel.FAST_FIR, Encoding.FAST_FIR)
        assert model.supports(shape)
        least, most = model.scratch(shape), model.useful_scratch(shape)
        layer.conv_kernel, layer.encoding, layer.batch_rows = model.kernel, model.encoding, batch
        layer.scratch_bytes = int(draw.rng.choice([least, most, draw.between(least, most)]))
    image = draw.values((x.height, x.width, x.channels), x.zero_point)
    if draw.chance(0.2):
        image[:] = np.resize(_FAR_APART, x.width)[:, None]
        image[np.resize(_FAR_APART, x.height) > 0] ^= -1
    return build.finish(), image


def _layers(draw: Draw) -> tuple[Builder, int]:
    height, width = draw.between(1, 12), draw.size(1, 28, (8, 16))
    channels, parts = draw.size(8, 70, (8, 16, 32, 64)), [draw.size(1, 40, (8, 16, 32))]
    if draw.chance(0.3):
        parts.append(draw.between(1, 9))
    (in_height, top), (in_width, left) = (extent(draw, out, 3, 2, 112) for out in (height, width))
    build = Builder(draw, in_height, in_width, channels)
    output = build.add_buffer(height, width, sum(parts))
    for part, at in zip(parts, (0, parts[0]), strict=False):
        build.convolution(0, output, part, at, (3, 3), (2, 2), (top, left))
    return build, draw.between(1, min(_MAX_BATCH, height))

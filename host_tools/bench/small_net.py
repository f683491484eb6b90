"""The small SqueezeNet that figures are compared on: random int8 weights, the same bytes every time."""

from squeezenet_mcu.host_tools.bench.random_graph import RandomGraph

_SEED = 20260820
_CLASSES = 10
# Squeeze, and each expand; pools are 3x3, stride 2, VALID: maps of 32, 15, 7 and 3 pixels, 4,045,568 MACs.
_STAGES = ("pool", (8, 32), (8, 32), "pool", (16, 64), (16, 64), "pool", (24, 96), (32, 128))


def tflite() -> bytes:
    """The .tflite: 32x32x3 int8 (pixel - 128) to 10 classes."""
    g = RandomGraph(_SEED, "small SqueezeNet with random weights")
    image = g.map("image", [1, 32, 32, 3], 1 / 255)
    x = g.conv("conv1", image, 32, 3)
    fire, pool = 2, 1
    for stage in _STAGES:
        if isinstance(stage, str):
            x = g.pool(f"pool{pool}", x)
            pool += 1
        else:
            x = g.fire(f"fire{fire}", x, *stage)
            fire += 1
    return g.packed(image, g.softmax(g.mean(g.conv("conv10", x, _CLASSES, 1))))

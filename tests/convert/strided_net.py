"""A small network with a 3x3 convolution of stride 2 that the kernel fast_fir runs."""

from squeezenet_mcu.host_tools.bench.random_graph import RandomGraph


def tflite() -> bytes:
    """The .tflite: 24x24x3 int8 to 10 classes."""
    g = RandomGraph(5, "a stride of 2")
    image = g.map("image", [1, 24, 24, 3], 1 / 255)
    x = g.conv("conv2", g.conv("conv1", image, 24, 3), 32, 3, stride=2)
    return g.packed(image, g.softmax(g.mean(g.conv("conv3", x, 10, 1))))

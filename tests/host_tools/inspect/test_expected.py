"""LiteRT's tensors as maps of rows: equal to what the engine on the host makes, row by row."""

import numpy as np
import pytest

from squeezenet_mcu.common.litert import Reference
from squeezenet_mcu.convert import engine_model
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.target import ANY_CPU
from squeezenet_mcu.convert.verify import exactness
from squeezenet_mcu.convert.verify.host_engine import HostEngine
from squeezenet_mcu.host_tools.bench.random_graph import RandomGraph
from squeezenet_mcu.host_tools.inspect.expected import Expected, Map
from tests.convert import every_kind


def padded_fire() -> bytes:
    """A fire module whose 3x3 convolution reads a PAD that no row holds."""
    g = RandomGraph(5, "a fire module")
    image = g.map("image", [1, 9, 9, 4], 1 / 255)
    x = g.conv("conv1", g.pad("pad", image, 1), 8, 3, same=False)
    return g.packed(image, g.softmax(g.mean(g.conv("conv10", g.fire("fire2", x, 4, 6), 5, 1))))


def wide() -> bytes:
    """A convolution with rows of 8 x 600 bytes before the mean: made in two groups of channels."""
    g = RandomGraph(6, "a wide convolution")
    image = g.map("image", [1, 8, 8, 4], 1 / 255)
    return g.packed(image, g.softmax(g.mean(g.conv("conv10", image, 600, 1))))


def checked(content: bytes, folder) -> Expected:
    """All known maps, of two images, are the rows that the engine makes."""
    path = folder / "model.tflite"
    path.write_bytes(content)
    file = tflite_file.read(path)
    made = engine_model.prepare(file, [], ANY_CPU)
    network = made.network
    source = network.buffers[network.input_buffer]
    reference = Reference(
        content, edge=(source.scale, source.zero_point), output_tensor=network.output_tensor
    )
    found = Expected(path, reference)
    trace = exactness.EngineTrace(HostEngine(made.content), network)
    for image in exactness.sample_images((source.height, source.width, source.channels), 2):
        trace.infer(image)
        rows = found.rows(image)
        assert rows.keys() == {of.number for of in found.maps if of.known}
        for number, values in rows.items():
            assert np.array_equal(values, trace.maps[number])
    assert sorted(of.number for of in found.maps) == list(range(len(network.buffers)))
    assert found.maps[0].layers == ("input",)
    return found


def test_every_kind_of_layer(tmp_path):
    found = checked(every_kind.tflite(), tmp_path)
    assert all(of.known for of in found.maps)


def test_a_fire_module(tmp_path):
    found = checked(padded_fire(), tmp_path)
    assert found.never_stored == [("pad", "a padding folded into its readers")]
    fire = next(of for of in found.maps if len(of.layers) == 2)
    assert (fire.layers, fire.starts) == (("fire2/expand1x1", "fire2/expand3x3"), (0, 6))
    assert fire.name == "fire2/expand1x1 + expand3x3"


def test_a_convolution_in_groups(tmp_path):
    found = checked(wide(), tmp_path)
    unknown = [of.name for of in found.maps if not of.known]
    assert len(unknown) == 2 and all("[" in name for name in unknown)


@pytest.mark.parametrize(
    ("channel", "layer"), [(0, ("a", 0)), (5, ("a", 5)), (6, ("b", 0)), (9, ("c", 0)), (11, ("c", 2))]
)
def test_whose_channel(channel, layer):
    assert Map(0, (1, 1, 12), ("a", "b", "c"), (0, 6, 9), True).layer_at(channel) == layer

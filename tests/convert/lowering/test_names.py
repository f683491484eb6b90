"""Layers are called as whoever made the network calls them."""

import pytest

from squeezenet_mcu.convert.lowering import names, tflite_file
from squeezenet_mcu.host_tools.bench.random_graph import RandomGraph

TORCH = "litert_torch.Wrapper/sq.Net_wrapped/torch.nn.modules.container.Sequential_features"
WEIGHTS = {
    "model/conv1/Conv2D": "conv1",
    "net/quant_fire2_squeeze1x1/Conv2D;net/quant_fire2_squeeze1x1/LastValueQuant/x": "fire2/squeeze1x1",
    "functional_7_1/conv2d_77_1/convolution": "conv2d_77_1",
    "model_1/conv2d_16/Conv2D": "conv2d_16",
    "model_4/quant_conv2d_11/Conv2D;model_4/quant_conv2d_11/LastValueQuant/x": "conv2d_11",
    f"{TORCH}/torch.nn.modules.conv.Conv2d_0;": "features.0",
    f"{TORCH}/sq.Fire_3/torch.nn.modules.conv.Conv2d_expand1x1;1": "features.3.expand1x1",
    f"{TORCH}/sq.Fire_3/torch.nn.modules.conv.Conv2d_squeeze;": "features.3.squeeze",
    "tfl.pseudo_qconst21": "conv_2d_0",
}


@pytest.mark.parametrize("weights", WEIGHTS)
def test_of_a_convolution(weights):
    g = RandomGraph(0, "names")
    image = g.map("image", [1, 6, 6, 3], 1 / 255)
    out = g.conv("x", image, 4, 3)
    g.graph.tensors[g.graph.operators[0].inputs[1]].name = weights.encode()
    file = tflite_file.parse(g.packed(image, g.mean(out)))
    assert names.layer_name(file, file.ops[0]) == WEIGHTS[weights]
    assert names.layer_name(file, file.ops[1]) == "mean_1"


def test_where_only_the_output_tells():
    g = RandomGraph(0, "names")
    image = g.map("image", [1, 6, 6, 3], 1 / 255)
    out = g.conv("model_3/tf.nn.relu/Relu;model_3/tf.nn.convolution_2/convolution;Const_2", image, 4, 3)
    g.graph.tensors[g.graph.operators[0].inputs[1]].name = b"tfl.pseudo_qconst21"
    file = tflite_file.parse(g.packed(image, g.mean(out)))
    assert names.layer_name(file, file.ops[0]) == "tf.nn.convolution_2"

"""Networks that tell six colours apart, with weights that are computed: they suit one kind of pixel values.

A 1x1 convolution and a MEAN find the colour that is nearest to the image's mean. The weights are made for
values of a framework's own preprocessing (VALUES), with which nearly all of images() are answered right.
"""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

from squeezenet_mcu.common.litert import interpreter
from squeezenet_mcu.host_tools.bench.random_graph import RandomGraph

SIDE, CLASSES = 6, 6
_IMAGE = 0  # the tensor that the convolution reads
COLOURS = np.array(
    [[70, 80, 90], [120, 80, 90], [70, 130, 95], [75, 80, 145], [125, 130, 140], [160, 165, 90]], np.float64
)
EDGES = ("int8", "uint8", "float32")
# As the frameworks do it, written out: uint8 pixels to float32 values.
VALUES = {
    "byte": lambda x: x.astype(np.float32),
    "unit": lambda x: x.astype(np.float32) / 255,
    "tf": lambda x: x.astype(np.float32) / 127.5 - 1,
    "torch": lambda x: (
        (x.astype(np.float32) / 255 - np.float32([0.485, 0.456, 0.406])) / np.float32([0.229, 0.224, 0.225])
    ),
    "caffe": lambda x: x[..., ::-1].astype(np.float32) - np.float32([104, 117, 123]),
    "mean=120:130:140,std=60:50:40": lambda x: (
        (x.astype(np.float32) - np.float32([120, 130, 140])) / np.float32([60, 50, 40])
    ),
    "mean=255,std=-255": lambda x: (x.astype(np.float32) - 255) / -255,
}


def images(count: int = 120) -> tuple[np.ndarray, np.ndarray]:
    """uint8 [count, SIDE, SIDE, 3] and int64 [count]: a colour, a tint of its own, noise."""
    rng = np.random.default_rng(7)
    y = np.arange(count) % CLASSES
    tint, noise = rng.normal(0, 9, (count, 1, 1, 3)), rng.normal(0, 12, (count, SIDE, SIDE, 3))
    x = COLOURS[y][:, np.newaxis, np.newaxis] + tint + noise
    return np.clip(np.rint(x), 0, 255).astype(np.uint8), y.astype(np.int64)


def span(rule: str) -> tuple[float, float]:
    """The least and the greatest value of a pixel."""
    ends = VALUES[rule](np.array([[[[0] * 3, [255] * 3]]], np.uint8))
    return float(ends.min()), float(ends.max())


def colour_tflite(rule: str, edge: str = "int8", covers: tuple[float, float] | None = None) -> bytes:
    """The .tflite for values of `rule`, whose input is int8, or uint8 or float32 behind a QUANTIZE.

    `covers`: the range that its calibration is said to have found (that of the values).
    """
    low, high = covers or span(rule)
    scale = float(np.float32((high - low) / 255))
    zero_point = int(np.rint(-128 - low / scale))
    g = RandomGraph(0, f"colours for {rule}")
    shape, kinds = [1, SIDE, SIDE, 3], schema.TensorType
    image = first = g.map("image", shape, scale, zero_point)
    if edge != "int8":
        outer = {"uint8": (kinds.UINT8, [scale], zero_point + 128), "float32": (kinds.FLOAT32, [], 0)}[edge]
        first = g.tensor("pixels", shape, *outer)
        code, kind = schema.BuiltinOperator.QUANTIZE, schema.BuiltinOptions.QuantizeOptions
        g.add(code, kind, schema.QuantizeOptionsT(), [first], image)
    weights, bias = _weights(rule)
    scales = np.abs(weights).max(axis=1) / 127
    quantized = np.rint(weights / scales[:, np.newaxis]).astype(np.int8).reshape(CLASSES, 1, 1, 3)
    steps = np.rint(bias / (scales * scale)).astype(np.int32)
    x = g.conv_of("conv1", image, quantized, scales.tolist(), steps, 3 / 255, relu=False)
    return g.packed(first, g.mean(x))


def _weights(rule: str) -> tuple[np.ndarray, np.ndarray]:
    """Of 2 c.p - c.c + 1, greatest for the colour c that is nearest to pixel p: 0 to 3 for all that occur.

    Each value is linear in one byte: its black and its white say how.
    """
    ends = VALUES[rule](np.array([[[[0] * 3, [255] * 3]]], np.uint8))[0, 0].astype(np.float64)
    gain, offset = (
        1 / (ends[1] - ends[0]),
        -ends[0] / (ends[1] - ends[0]),
    )  # pixel / 255 = gain * value + offset
    colours = COLOURS / 255
    in_order = colours[:, ::-1] if rule == "caffe" else colours
    return 2 * in_order * gain, 2 * in_order @ offset - (colours**2).sum(axis=1) + 1


def litert_answers(content: bytes, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Classes [n] of LiteRT alone, and the int8 images that its convolution reads.

    Fed as its input's type wants it: with the float32 `values`, or with these quantized.
    """
    model = interpreter(content)
    model.allocate_tensors()
    given, answer = model.get_input_details()[0], model.get_output_details()[0]["index"]
    if given["dtype"] != np.float32:
        scale, zero_point = given["quantization"]
        ends = np.iinfo(given["dtype"])
        steps = np.round(values / np.float32(scale)) + zero_point
        values = np.clip(steps, ends.min, ends.max).astype(given["dtype"])
    found, seen = [], []
    for image in values:
        model.set_tensor(given["index"], image[np.newaxis])
        model.invoke()
        found.append(int(model.get_tensor(answer)[0].argmax()))
        seen.append(model.get_tensor(_IMAGE)[0])
    return np.array(found), np.stack(seen)

"""How a uint8 image becomes the int8 input of a model: one table for validation, evaluation and reports."""

from typing import Any

import numpy as np

from squeezenet_mcu.common.errors import UserError

# name -> (channel order, mean, standard deviation); value = (pixel - mean) / std, then quantized.
_CAFFE_MEAN = (104.0, 117.0, 123.0)  # BGR means of the SqueezeNet authors' prototxt
_TORCH_MEAN = (0.485 * 255, 0.456 * 255, 0.406 * 255)  # torchvision's ImageNet normalization
_TORCH_STD = (0.229 * 255, 0.224 * 255, 0.225 * 255)
PREPROCESSES: dict[str, tuple[str, tuple[float, ...], tuple[float, ...]] | None] = {
    "byte": None,  # int8 = pixel - 128, whatever the scale says: exact, no float
    "caffe": ("bgr", _CAFFE_MEAN, (1.0, 1.0, 1.0)),
    "torch": ("rgb", _TORCH_MEAN, _TORCH_STD),
}


def quantize_images(x: np.ndarray, input: dict[str, Any]) -> np.ndarray:
    """uint8 images [n, height, width, channels] -> int8 of the same shape.

    `input` is the manifest's entry: `preprocess` (a name of PREPROCESSES), `scale`, `zero_point`.
    """
    name = input["preprocess"]
    if name not in PREPROCESSES:
        raise UserError(f"preprocess '{name}' is unknown; wanted one of {', '.join(PREPROCESSES)}")
    rule = PREPROCESSES[name]
    if rule is None:
        return (x ^ np.uint8(0x80)).view(np.int8)  # pixel - 128 in two's complement
    order, mean, std = rule
    if x.shape[-1] != 3:
        raise UserError(f"preprocess '{name}' wants 3 channels, the images have {x.shape[-1]}; use 'byte'")
    if order == "bgr":
        x = x[..., ::-1]
    real = (x.astype(np.float32) - np.array(mean, np.float32)) / np.array(std, np.float32)
    q = np.round(real / np.float32(input["scale"])) + input["zero_point"]
    found: np.ndarray = np.clip(q, -128, 127).astype(np.int8)
    return found

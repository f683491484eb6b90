"""Files of weights for ImageNet's networks, and photographs of nothing, as a user would bring both."""

from pathlib import Path

import numpy as np
from PIL import Image

from squeezenet_mcu.host_tools.bench import imagenet_net
from squeezenet_mcu.model.importers import Arrays
from tests.model.importers import weight_files

VERSIONS = {"imagenet_v1_0": "v1.0", "imagenet_v1_1": "v1.1"}


def shared_values(weights: dict[str, Arrays]) -> dict[str, Arrays]:
    """The weights with at most 254 values but 0 in a kernel, as Deep Compression's files have them."""
    result = {}
    for name, (kernel, bias) in weights.items():
        step = np.abs(kernel).max() / np.float32(127)
        result[name] = (np.rint(kernel / step) * step).astype(np.float32), bias
    return result


def weights(model: str) -> dict[str, Arrays]:
    """Random ones of `model`; v1.0's as a Deep Compression file can hold them."""
    made = imagenet_net.float_weights(VERSIONS[model])
    return shared_values(made) if model == "imagenet_v1_0" else made


def weights_file(model: str, folder: Path) -> Path:
    """Writes weights(model) into `folder`: v1.0's as a .net, v1.1's as an .npz."""
    if model == "imagenet_v1_0":
        path = folder / "weights.net"
        path.write_bytes(weight_files.net(weights(model)))
        return path
    return weight_files.npz(folder / "weights.npz", weights(model))


def pictures(folder: Path, count: int, side: int = 227) -> Path:
    """Writes `count` images of coarse coloured squares with noise into `folder`, with a labels.csv."""
    rng = np.random.default_rng(count)
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["file,label"]
    for number in range(count):
        edge = int(rng.integers(8, 40))
        few = rng.integers(0, 256, (side // edge + 1, side // edge + 1, 3))
        squares = few.repeat(edge, axis=0).repeat(edge, axis=1)[:side, :side]
        pixels = np.clip(squares + rng.integers(-40, 41, (side, side, 3)), 0, 255)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / f"{number}.png")
        lines.append(f"{number}.png,{rng.integers(imagenet_net.CLASSES)}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return folder

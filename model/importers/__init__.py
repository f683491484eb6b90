"""Weights of a network from files of others: Deep Compression's, Keras-style .npz, Caffe's, PyTorch's."""

from collections.abc import Callable, Mapping
from pathlib import Path

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.model.importers import caffe, deep_compression, keras_npz, torch_zip
from squeezenet_mcu.model.importers.checks import Arrays, Shapes, checked

_MOST_BYTES = 256 << 20  # 50 times a SqueezeNet of float32: more is not read into memory
_FORMATS: dict[str, Callable[[Path, Shapes], Mapping[str, Arrays]]] = {
    ".net": deep_compression.load,
    ".npz": keras_npz.load,
    ".caffemodel": caffe.load,
    ".pth": torch_zip.load,
}


def load(path: Path, shapes: Shapes) -> dict[str, Arrays]:
    """Kernel float32 [height, width, in, out], bias float32 [out] of every layer, in the order of `shapes`.

    Args:
        path: a .net (songhan/SqueezeNet-Deep-Compression), .npz (conv1/kernel, conv1/bias, ...), .caffemodel,
            or a .pth with torchvision's names.
        shapes: of the network's kernels, by layer: Config.kernels.

    Raises UserError, one line with the file, what is wrong and what is wanted, for anything but a whole file
    that holds exactly this network, in finite numbers.
    """
    path = Path(path)
    if path.suffix not in _FORMATS:
        raise UserError(f'{path}: "{path.suffix}" is no format of weights; want {", ".join(_FORMATS)}')
    if not path.is_file():
        what = "a folder" if path.is_dir() else "no ordinary file" if path.exists() else "no such file"
        raise UserError(f"{path}: {what}; want weights ({', '.join(_FORMATS)})")
    size = path.stat().st_size
    if size > _MOST_BYTES:
        raise UserError(f"{path}: {size} bytes; want at most {_MOST_BYTES}, enough for any SqueezeNet")
    return checked(path, _FORMATS[path.suffix](path, shapes), shapes)


__all__ = ["Arrays", "Shapes", "load"]

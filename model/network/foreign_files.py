"""Networks in files of other programs: what they are is said, with the page that tells how to bring them."""

from pathlib import Path

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import shown

PAGE = "docs/from-elsewhere.md"
_FORMATS = {
    ".pth": "PyTorch's weights, which hold code", ".pt": "PyTorch's, which hold code",
    ".ckpt": "a checkpoint", ".safetensors": "weights without a network", ".onnx": "an ONNX network",
    ".pb": "a TensorFlow graph", ".mlmodel": "a Core ML network", ".pkl": "a pickle, which holds code",
    ".npz": "arrays without a network", ".caffemodel": "Caffe's weights",
}  # fmt: skip


def is_saved_model(path: Path) -> bool:
    """Whether `path` is a folder as TensorFlow's and Keras's export writes it."""
    return path.is_dir() and (path / "saved_model.pb").is_file()


def is_foreign(path: Path) -> bool:
    """Whether `path` is of another program, as far as its name tells."""
    return _about(path) is not None


def _about(path: Path) -> str | None:
    if path.is_dir() and (path / "pytorch_model.bin").is_file():
        return "a folder of PyTorch's"
    return "a SavedModel" if is_saved_model(path) else _FORMATS.get(path.suffix.lower())


def refuse(name: str, option: str, want: str) -> None:
    """UserError where `name`, given as `option`, is a file of another program; it ends with `want`."""
    about = _about(Path(name))
    if about is not None:
        raise UserError(f"{option} {shown(name)} is {about}; {want}; {PAGE} says how to get there")

"""The kinds of files that are damaged: how a sound one is made, how it is damaged, who then reads it."""

import io
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from squeezenet_mcu.common import cli
from tests.mutations import damage
from tests.mutations.run import guarded


@dataclass(frozen=True)
class Kind:
    """`sound`: makes files to be damaged by turns (name in the folder, bytes). `read`: the exit status of the
    command, or of the part of it that reads the file, in that folder.
    """

    sound: Callable[[Path], list[tuple[str, bytes]]]
    damage: Callable[[Random, bytes], bytes]
    read: Callable[[Path], int]


def _made(folder: Path, program: str) -> list[tuple[str, bytes]]:
    """What a program writes into a folder: TensorFlow works in it, after which no process should fork."""
    made = folder.parent / "made"
    made.mkdir()
    subprocess.run([sys.executable, "-c", program, str(made)], check=True, capture_output=True)
    return [(path.name, path.read_bytes()) for path in sorted(made.iterdir())]


_MAKE_TFLITES = """
import sys
from pathlib import Path
from tests.convert.random_nets import random_tflite

made = 0
for seed in range(100):
    content = random_tflite(seed)
    if len(content) < 16_000:
        Path(sys.argv[1], f"{seed}.tflite").write_bytes(content)
        made += 1
    if made == 6:
        break
"""


def _tflites(folder: Path) -> list[tuple[str, bytes]]:
    from squeezenet_mcu.convert import command  # noqa: F401  # now, once, not in each child

    (folder / "build").mkdir()
    return _made(folder, _MAKE_TFLITES)


def _convert(folder: Path) -> int:
    from squeezenet_mcu.convert import command as convert

    (path,) = folder.glob("*.tflite")
    words = ["--tflite", str(path), "--model", "toy", "--preprocess", "mean=128,std=32"]
    return cli.guarded(convert.run, convert.parser().parse_args(words), "convert")


def _operators() -> Kind:
    from squeezenet_mcu.convert import command  # noqa: F401  # now, once, not in each child
    from tests.mutations import operators

    def sound(folder: Path) -> list[tuple[str, bytes]]:
        (folder / "build").mkdir()
        return operators.sound()

    return Kind(sound, operators.damage, _convert)


def _weights(suffix: str) -> Kind:
    from squeezenet_mcu.model import importers
    from tests.model.importers import torch_files, weight_files

    def sound(folder: Path) -> list[tuple[str, bytes]]:
        found = []
        for seed in range(2):
            weights = weight_files.random_weights(weight_files.SHAPES, seed=seed, density=0.3)
            if suffix == ".npz":
                content = weight_files.npz(folder / "made.npz", weights).read_bytes()
                (folder / "made.npz").unlink()
            elif suffix == ".net":
                content = weight_files.net(weights)
            elif suffix == ".pth":
                content = torch_files.pth(weights)
            else:
                content = weight_files.caffemodel(weights, v1=bool(seed))
            found.append((f"{seed}{suffix}", content))
        return found

    def read(folder: Path) -> int:
        (path,) = folder.glob(f"*{suffix}")
        return guarded(lambda: importers.load(path, weight_files.SHAPES))

    return Kind(sound, damage.in_zip if suffix in (".npz", ".pth") else damage.in_bytes, read)


_MAKE_KERAS = """
import sys
from pathlib import Path
from squeezenet_mcu.model.compress.qat import quantization_aware
from squeezenet_mcu.model.network import keras_files
from squeezenet_mcu.model.network.squeezenet import build
from squeezenet_mcu.model.settings.config import Fire
from tests.model import tiny

model = build(tiny.settings(stages=("pool", Fire(2, 3, 3))))
keras_files.save(model, Path(sys.argv[1], "float.keras"))
keras_files.save(quantization_aware(model, tiny.X), Path(sys.argv[1], "quantized.keras"))
"""


def _keras(folder: Path) -> list[tuple[str, bytes]]:
    from squeezenet_mcu.model.network import keras_files  # noqa: F401  # now, once, not in each child

    return _made(folder, _MAKE_KERAS)


def _read_keras(folder: Path) -> int:
    from squeezenet_mcu.model.network import keras_files

    (path,) = folder.glob("*.keras")
    return guarded(lambda: keras_files.load(path))


def _images(folder: Path) -> list[tuple[str, bytes]]:
    import numpy as np
    from PIL import Image

    os.mkfifo(folder / "pipe.png")
    found = []
    pixels = np.random.default_rng(0).integers(0, 256, (24, 20, 4), dtype=np.uint8)
    formats = "png RGB, png RGBA, png P, png LA, jpeg RGB, bmp L, gif P, webp RGB, tiff RGB"
    for number, (kind, mode) in enumerate(map(str.split, formats.split(", "))):
        stream = io.BytesIO()
        Image.fromarray(pixels).convert("RGB" if mode == "P" else mode).convert(mode).save(stream, kind)
        found.append((f"{number}.{kind}", stream.getvalue()))
    listed = "\n".join(["file,label", *(f"{name},{number % 2}" for number, (name, _) in enumerate(found))])
    return [*found, *[("labels.csv", listed.encode())] * len(found)]  # as often as the images


def _damage_image(random: Random, data: bytes) -> bytes:
    return (damage.in_lines if data.startswith(b"file,label") else damage.in_png)(random, data)


def _read_images(folder: Path) -> int:
    from squeezenet_mcu.common.data import sources

    def run() -> None:
        found = sources.load(str(folder), "test", 8, 8, 3)
        assert found.x.shape[1:] == (8, 8, 3)

    return guarded(run)


def _arrays(folder: Path) -> list[tuple[str, bytes]]:
    import numpy as np

    stream = io.BytesIO()
    x, y = np.arange(4 * 64, dtype=np.uint8).reshape(4, 8, 8), np.array([0, 1, 0, 1])
    np.savez(stream, x_train=x, y_train=y, x_test=x, y_test=y)
    return [("0.npz", stream.getvalue())]


def _read_arrays(folder: Path) -> int:
    from squeezenet_mcu.common.data import sources

    return guarded(lambda: sources.load(str(folder / "0.npz"), "test", 8, 8, 1))


def _manifest() -> Kind:
    from tests.mutations import converted

    return Kind(converted.sound, damage.in_json, converted.read)


def _stages() -> Kind:
    from tests.mutations import stages

    return Kind(stages.sound, damage.in_json, stages.read)


def _tomls() -> Kind:
    from tests.mutations import stages

    return Kind(stages.tomls, damage.in_toml, stages.read_tomls)


KINDS: dict[str, Callable[[], Kind]] = {
    "manifest": _manifest,
    "records": _stages,
    "toml": _tomls,
    "tflite": lambda: Kind(_tflites, damage.in_bytes, _convert),
    "operators": _operators,
    "net": lambda: _weights(".net"),
    "npz": lambda: _weights(".npz"),
    "caffemodel": lambda: _weights(".caffemodel"),
    "pth": lambda: _weights(".pth"),
    "keras": lambda: Kind(_keras, damage.in_zip, _read_keras),
    "arrays": lambda: Kind(_arrays, damage.in_zip, _read_arrays),
    "images": lambda: Kind(_images, _damage_image, _read_images),
}

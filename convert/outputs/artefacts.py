"""Everything `make convert` writes into build/<model>/, from the bytes of one .tflite."""

import importlib.metadata
import io
import platform
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.formats.manifest import NAME as MANIFEST
from squeezenet_mcu.common.litert import Reference
from squeezenet_mcu.convert import engine_model
from squeezenet_mcu.convert.encode import weights
from squeezenet_mcu.convert.lowering.tflite_file import TfliteFile
from squeezenet_mcu.convert.network import Network
from squeezenet_mcu.convert.outputs import c_array, report, settings_header
from squeezenet_mcu.convert.outputs import tflm_arena as tflm
from squeezenet_mcu.convert.schedule import arena as plan
from squeezenet_mcu.convert.target import ANY_CPU, Target
from squeezenet_mcu.convert.verify import ends, exactness

_PACKAGES = (
    "ai-edge-litert",
    "numpy",
    "tensorflow",
    "tensorflow-cpu",
    "tensorflow-model-optimization",
    "tf-keras",
    "tflite-micro",
)


_NO_LIMITS: Mapping[str, int] = MappingProxyType({})


@dataclass(frozen=True)
class Conversion:
    """A network lowered, planned, serialized, and proven equal to LiteRT on sample images.

    `flash_limits`: what its TOML gives the engine's model at most, by family of kernels; no limit for others.
    """

    name: str
    file: TfliteFile
    network: Network
    plan: plan.Plan
    engine_model: bytes
    labels: list[str]
    preprocess: str
    flash_limits: dict[str, int]

    @property
    def image(self) -> dict[str, Any]:
        """The manifest's entry `input`: sizes, and how pixels become inputs."""
        source = self.network.buffers[self.network.input_buffer]
        return {
            "height": source.height, "width": source.width, "channels": source.channels,
            "scale": source.scale, "zero_point": source.zero_point, "preprocess": self.preprocess,
            "edge": self.file.input_type,
        }  # fmt: skip


@dataclass(frozen=True)
class Origin:
    """What a conversion was made from, and how; None where it does not apply.

    `files`: SHA-256 of each, by path. `data`: the model's own ("" = none). `fit`: how images come to the
    input's size. `float_model`: the Keras model behind it: file, sha256, divisor of its pixels.
    `calibration`: source, and sha256 of each image's uint8 pixels. `weight_bits`: by layer.
    """

    files: dict[str, str]
    data: str
    fit: str = "resize"
    float_model: dict[str, Any] | None = None
    calibration: dict[str, Any] | None = None
    weight_bits: dict[str, int] | None = None


def convert(
    file: TfliteFile,
    name: str,
    labels: list[str],
    preprocess: str,
    flash_limits: Mapping[str, int] = _NO_LIMITS,
) -> Conversion:
    """Converts for any CPU; raises UserError for what the engine does not take, or not in `flash_limits`."""
    limit = flash_limits.get(ANY_CPU.family)
    made = engine_model.make(file, labels, Target(flash_bytes=limit) if limit else ANY_CPU)
    if limit and len(made.content) > limit:
        raise UserError(
            f"{name}: the engine's model takes {len(made.content):,} bytes; want {limit:,} at most, as the "
            "TOML's [convert] flash_bytes says: more zeros ([prune]), or more bytes"
        )
    return Conversion(
        name, file, made.network, made.plan, made.content, labels, preprocess, dict(flash_limits)
    )


def versions() -> dict[str, str]:
    """Versions of what took part, for the manifest."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def golden_pair(tflite: bytes, manifest: dict[str, Any], image: np.ndarray | None = None) -> bytes:
    """golden.npz: one input and what LiteRT answers, for firmware self-tests.

    `image`: int8 [height, width, channels]; None for a synthetic one.
    """
    if image is None:
        shape = tuple(manifest["input"][k] for k in ("height", "width", "channels"))
        image = exactness.sample_images(shape, 1)[0]
    reference = Reference.of(manifest, tflite)
    logits, probabilities = reference.infer(image, manifest["output"]["logits_tensor"])
    stream = io.BytesIO()
    np.savez(stream, input=image, logits=logits, probabilities=probabilities)
    return stream.getvalue()


def tflm_arena(file: TfliteFile) -> int | None:
    """The arena that TFLM needs for it, in bytes; None where its wheel is not installed. Raises TflmError."""
    if lacking := tflm.lacking(file):
        raise tflm.TflmError(f"{file.path}: TFLite Micro does not have {', '.join(lacking)}")
    if not tflm.available():
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        path.write_bytes(file.content)
        return tflm.arena_bytes(str(path), file.path)


def _manifest(c: Conversion, arena: int | None, origin: Origin, accuracy: Any) -> dict[str, Any]:
    logits = c.network.buffers[c.network.logits_buffer]
    output = c.network.buffers[c.network.output_buffer]
    return {
        "model": c.name,
        "tflite_sha256": files.sha256(c.file.content),
        "engine_sha256": files.sha256(c.engine_model),
        "macs": c.network.macs,
        "weights_dense_bytes": c.network.weights_dense_bytes(),
        "weights_stored_bytes": sum(len(weights.stored_weights(layer)) for layer in c.network.layers),
        "tflite_bytes": len(c.file.content),
        "engine_model_bytes": len(c.engine_model),
        "flash_limits": c.flash_limits,
        "engine_sram_bytes": c.plan.arena_bytes,
        "tflm_arena_bytes": arena,
        "accuracy": accuracy,
        "input": c.image,
        "output": {
            "classes": output.channels, "tensor": c.network.output_tensor,
            "logits_tensor": c.network.logits_tensor,
            "logits_scale": logits.scale, "logits_zero_point": logits.zero_point,
            "scale": output.scale, "zero_point": output.zero_point,
            "softmax": c.network.output_buffer != c.network.logits_buffer,
        },
        "labels": c.labels,
        "inputs": origin.files,
        "data": origin.data,
        "fit": origin.fit,
        "float": origin.float_model,
        "calibration": origin.calibration,
        "weight_bits": origin.weight_bits,
        "plan": report.plan_rows(c.network),
        "peak": report.peak_rows(c.network, c.plan),
        "versions": versions(),
    }  # fmt: skip


def describe(c: Conversion, origin: Origin, accuracy: Any) -> dict[str, Any]:
    """The manifest, but for the files' SHA-256, which `write` adds.

    `origin`: what went in; `accuracy`: what the manifest says of it, or None.
    UserError: the input or outputs that it describes are not the .tflite's.
    """
    try:
        arena, problem = tflm_arena(c.file), None
    except tflm.TflmError as error:  # our engine runs it all the same
        arena, problem = None, str(error)
    manifest = _manifest(c, arena, origin, accuracy) | {"tflm_problem": problem}
    ends.check_manifest(c.file, manifest)
    return manifest


def write(c: Conversion, folder: Path, manifest: dict[str, Any], golden: np.ndarray | None = None) -> None:
    """Writes all artefacts into `folder`, build/<model>, the manifest last.

    `golden`: int8 [height, width, channels] for golden.npz; None for a synthetic image.
    UserError: the input or outputs of the settings are not the .tflite's.
    """
    settings = settings_header.settings_header(manifest, tflm.resolver_methods(c.file))
    ends.check_settings(c.file, settings)
    outputs = {
        "model.tflite": c.file.content,
        "model.sqz": c.engine_model,
        "golden.npz": golden_pair(c.file.content, manifest, golden),
        "model_settings.h": settings.encode(),
    }
    for array, data, what in (
        ("g_model_tflite", c.file.content, "the .tflite, for TensorFlow Lite Micro"),
        ("g_model_sqz", c.engine_model, "the engine's model"),
    ):
        comment = f"{c.name}: {what}; made by `make convert`, do not edit."
        header, source = c_array.c_array(array, data, comment)
        file = array.removeprefix("g_")
        outputs |= {f"{file}.h": header.encode(), f"{file}.c": source.encode()}
    publish(folder, outputs, manifest)


def publish(
    folder: Path, outputs: dict[str, bytes], manifest: dict[str, Any], stale: tuple[str, ...] = ()
) -> None:
    """Writes `outputs` (by file name) and the manifest, to which it adds their SHA-256; removes `stale`."""
    manifest["files"] = {file: files.sha256(content) for file, content in sorted(outputs.items())}
    files.write_together(folder, outputs | {MANIFEST: files.as_json(manifest)}, MANIFEST, stale)

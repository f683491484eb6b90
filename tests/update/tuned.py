"""digits, and the same network fine-tuned in its last layers: engine models, and what is said of them."""

import functools
import hashlib
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from squeezenet_mcu.common.files import sha256
from squeezenet_mcu.common.paths import ZOO
from squeezenet_mcu.convert import engine_model
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.outputs import c_array
from squeezenet_mcu.convert.target import ANY_CPU, Target
from squeezenet_mcu.convert.verify.host_engine import HostEngine
from squeezenet_mcu.host_tools.bench.measure import pseudo_image
from squeezenet_mcu.host_tools.link.upload.kernels import names_of
from squeezenet_mcu.host_tools.link.upload_messages import Manifest
from squeezenet_mcu.host_tools.signing import monocypher
from squeezenet_mcu.host_tools.upload import package

SEED = bytes(range(32))  # of the key that firmware_signed trusts
_CONV_2D = schema.BuiltinOperator.CONV_2D


def fine_tuned(tflite: bytes, layers: int, seed: int = 0) -> bytes:
    """As a training leaves it that moves the last `layers` convolutions and keeps the activations' ranges.

    Their weights that are not zero, and their biases, change a little; scales stay.
    """
    model = schema.ModelT.InitFromPackedBuf(tflite, 0)
    graph = model.subgraphs[0]
    rng = np.random.default_rng(seed)
    convolutions = [
        op for op in graph.operators if model.operatorCodes[op.opcodeIndex].builtinCode == _CONV_2D
    ]
    for op in convolutions[-layers:]:
        weights, bias = (model.buffers[graph.tensors[i].buffer] for i in op.inputs[1:3])
        values = np.frombuffer(bytes(weights.data), np.int8).astype(int)
        moved = np.clip(values + rng.integers(-4, 5, values.shape), -127, 127)
        weights.data = np.where(values != 0, moved, 0).astype(np.int8).view(np.uint8)
        sums = np.frombuffer(bytes(bias.data), np.int32)
        bias.data = (sums + rng.integers(-50, 51, sums.shape)).astype(np.int32).view(np.uint8)
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def key_pair(seed: bytes = SEED) -> tuple[bytes, bytes]:
    """The secret and the public key of a seed."""
    return monocypher.key_pair(seed)


def digest(content: bytes) -> bytes:
    """SHA-256 of an engine model."""
    return hashlib.sha256(content).digest()


@dataclass(frozen=True)
class Model:
    """An engine model and its manifest, not signed."""

    content: bytes
    manifest: Manifest

    def signed(self, seed: bytes = SEED, **changed) -> Manifest:
        """The manifest, with some fields changed, signed by the key of `seed`."""
        secret, _ = monocypher.key_pair(seed)
        manifest = replace(self.manifest, **changed)
        return replace(manifest, signature=monocypher.sign(secret, manifest.signed_part()))


@functools.cache
def digits(layers: int = 0, seed: int = 0, counter: int = 1, target: Target = ANY_CPU) -> Model:
    """digits, its last `layers` convolutions fine-tuned, for `target`."""
    tflite = (ZOO / "digits" / "model.tflite").read_bytes()
    return of_tflite(fine_tuned(tflite, layers, seed) if layers else tflite, counter, target)


def of_tflite(content: bytes, counter: int = 1, target: Target = ANY_CPU) -> Model:
    """The engine model of a .tflite."""
    made = engine_model.Maker.of(tflite_file.parse(content, "net.tflite"), []).prepare(target)
    size = made.network.buffers[made.network.input_buffer]
    classes = made.network.buffers[made.network.output_buffer].channels
    told = {
        "input": {"height": size.height, "width": size.width, "channels": size.channels},
        "output": {"classes": classes},
        "tflite_sha256": sha256(content),
    }
    engine = HostEngine(made.content)
    logits, _ = engine.infer(pseudo_image(made.content, engine.input_shape))
    record = {"arena_bytes": made.plan.arena_bytes, "kernels": made.kernels}
    manifest = package.manifest_of(told, record, made.content, zlib.crc32(logits.tobytes()))
    return Model(made.content, replace(manifest, counter=counter))


def kernels_of(model: Model) -> list[str]:
    """The kernels that it needs, as a build of the engine takes them."""
    return names_of(model.manifest.kernels)


def write_sources(model: Model, folder: Path) -> None:
    """model_sqz.c, model_sqz.h and as much of model_settings.h as a firmware's code looks at."""
    m = model.manifest
    settings = {
        "INPUT_HEIGHT": m.height, "INPUT_WIDTH": m.width, "INPUT_CHANNELS": m.channels,
        "ROW_BYTES": m.width * m.channels, "CLASSES": m.classes, "ARENA_BYTES": m.arena_bytes,
    }  # fmt: skip
    lines = "".join(f"#define MODEL_{name} {value}\n" for name, value in settings.items())
    header, source = c_array.c_array("g_model_sqz", model.content, "digits")
    outputs = {"model_settings.h": lines, "model_sqz.h": header, "model_sqz.c": source}
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in outputs.items():
        if not (folder / name).is_file() or (folder / name).read_text() != text:
            (folder / name).write_text(text)

"""A SavedModel, converted in a child process: loading it runs whatever graph its maker put in.

A TensorFlow graph can read and write files. So this is done only when the user says that the maker is
trusted, and in a process of its own, whose crash is not ours: this file, run by `python -m`. It is handed a
folder with what to do, and leaves its .tflite files there.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import one_line
from squeezenet_mcu.convert.keras_front.pixels import Pixels
from squeezenet_mcu.convert.keras_front.score import Outputs

_LONGEST = 3600  # seconds


def shape_of(folder: Path) -> tuple[int, int, int]:
    """Height, width and channels of its input. Raises UserError."""
    size = _child(folder, {"do": "shape"})["shape"]
    return size[0], size[1], size[2]


def convert(folder: Path, x: npt.NDArray[np.uint8], pixels: Pixels) -> tuple[bytes, bytes]:
    """The int8 .tflite and the float one, calibrated by images x, red first. Raises UserError."""
    with tempfile.TemporaryDirectory() as place:
        given = {
            "do": "convert", "factor": pixels.factor.tolist(), "offset": pixels.offset.tolist(),
            "bgr": pixels.bgr, "place": place,
        }  # fmt: skip
        np.save(Path(place) / "x.npy", x)
        _child(folder, given)
        return (Path(place) / "int8.tflite").read_bytes(), (Path(place) / "float.tflite").read_bytes()


def float_outputs(tflite: bytes, pixels: Pixels) -> Outputs:
    """Of the float .tflite: uint8 pixels [n, height, width, channels] to float32 [n, classes]."""
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(model_content=tflite)
    runner.allocate_tensors()
    image, answer = runner.get_input_details()[0]["index"], runner.get_output_details()[0]["index"]

    def run(x: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        found = []
        for one in x:
            runner.set_tensor(image, pixels.values(one[np.newaxis]))
            runner.invoke()
            found.append(runner.get_tensor(answer).reshape(-1).copy())
        return np.array(found)

    return run


def _child(folder: Path, given: dict[str, Any]) -> dict[str, Any]:
    command = [sys.executable, "-m", "squeezenet_mcu.convert.keras_front.saved_model", str(folder)]
    try:
        done = subprocess.run(
            command, input=json.dumps(given), capture_output=True, text=True, timeout=_LONGEST, check=False
        )
        last = done.stdout.strip().splitlines()[-1:] or [""]
        said = json.loads(last[0]) if done.returncode == 0 else {"error": _why(done)}
    except (subprocess.TimeoutExpired, ValueError) as error:
        said = {"error": one_line(str(error))}
    if "error" in said:
        raise UserError(
            f"{folder}: TensorFlow cannot convert it ({said['error']}); want a SavedModel of one image"
        )
    return dict(said)


def _why(done: "subprocess.CompletedProcess[str]") -> str:
    return f"its process ended with {done.returncode}: {one_line(done.stderr[-300:])}"


def _infer(folder: Path) -> tuple[Any, Any, list[int]]:
    """A concrete function of one image, what keeps its variables alive, and the image's size."""
    from squeezenet_mcu.common.tf import tf

    loaded = tf.saved_model.load(str(folder))
    signatures = loaded.signatures
    if "serving_default" not in signatures:
        raise UserError("it has no signature serving_default")
    serve = signatures["serving_default"]
    inputs = serve.structured_input_signature[1]
    if len(inputs) != 1 or len(serve.structured_outputs) != 1:
        raise UserError(f"{len(inputs)} inputs, {len(serve.structured_outputs)} outputs; want one and one")
    (name, spec), (answer,) = next(iter(inputs.items())), serve.structured_outputs
    shape = spec.shape.as_list() if spec.shape.rank is not None else []
    if len(shape) != 4 or not all(isinstance(v, int) and 1 <= v <= 4096 for v in shape[1:]):
        raise UserError(f"its input is {shape}; want [1, height, width, channels] of fixed size")
    signature = tf.TensorSpec([1, *shape[1:]], tf.float32, name="image")
    infer = tf.function(lambda image: serve(**{name: tf.cast(image, spec.dtype)})[answer])
    return infer.get_concrete_function(signature), loaded, shape[1:]


def _main() -> dict[str, Any]:
    given, folder = json.loads(sys.stdin.read()), Path(sys.argv[1])
    infer, holder, shape = _infer(folder)
    if given["do"] == "shape":
        return {"shape": shape}
    from squeezenet_mcu.common.tf import tf
    from squeezenet_mcu.convert.keras_front.quantize import Samples, by_tflite

    place = Path(given["place"])
    pixels = Pixels(np.array(given["factor"]), np.array(given["offset"]), given["bgr"], "")
    samples = Samples(np.load(place / "x.npy"), pixels, None)
    plain = tf.lite.TFLiteConverter.from_concrete_functions([infer], holder).convert()
    (place / "float.tflite").write_bytes(plain)
    (place / "int8.tflite").write_bytes(by_tflite(infer, holder, samples, lambda line: None))
    return {}


if __name__ == "__main__":
    try:
        answer = _main()
    except Exception as error:  # whatever a strange graph causes is said by the parent
        answer = {"error": one_line(str(error))}
    sys.stdout.write(f"\n{json.dumps(answer)}\n")

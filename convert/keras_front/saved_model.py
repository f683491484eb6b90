"""A SavedModel, converted in a child process: loading it runs whatever graph its maker put in.

A TensorFlow graph can read and write files. So this is done only when the user says that the maker is
trusted, and in a process of its own, whose crash is not ours: this file, run by `python -m`. It says the size
of the images, is told then where the samples are, and leaves its .tflite files beside them.
"""

import contextlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common.chatter import without_chatter
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import one_line
from squeezenet_mcu.convert.keras_front.pixels import Pixels
from squeezenet_mcu.convert.keras_front.score import Outputs

_WANT = "want a SavedModel of one image and one answer"


class Child:
    """The process that has loaded a SavedModel. `size`: height, width and channels of its input."""

    def __init__(self, folder: Path, process: "subprocess.Popen[str]") -> None:
        self._folder, self._process = folder, process
        size = self._answer()["shape"]
        self.size: tuple[int, int, int] = (size[0], size[1], size[2])

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(_MARK):
                said: dict[str, Any] = json.loads(line.removeprefix(_MARK))
                if "error" in said:
                    raise self._error(said["error"])
                return said
        raise self._error(f"its process ended with status {self._process.wait()}")

    def _error(self, why: str) -> UserError:
        return UserError(f"{self._folder}: TensorFlow cannot convert it ({one_line(why)}); {_WANT}")

    def convert(self, x: npt.NDArray[np.uint8], pixels: Pixels) -> tuple[bytes, bytes]:
        """The int8 .tflite and the float one, calibrated by images x, red first. Raises UserError."""
        assert self._process.stdin is not None
        with tempfile.TemporaryDirectory() as place:
            np.save(Path(place) / "x.npy", x)
            given = {"factor": pixels.factor.tolist(), "offset": pixels.offset.tolist(), "bgr": pixels.bgr}
            self._process.stdin.write(f"{json.dumps({**given, 'place': place})}\n")
            self._process.stdin.flush()
            self._answer()
            return (Path(place) / "int8.tflite").read_bytes(), (Path(place) / "float.tflite").read_bytes()


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[Child]:
    """The child that has loaded the SavedModel in `folder`. Raises UserError."""
    command = [sys.executable, "-m", "squeezenet_mcu.convert.keras_front.saved_model", str(folder)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            yield Child(folder, process)
        finally:
            process.kill()


def float_outputs(tflite: bytes, pixels: Pixels) -> Outputs:
    """Of the float .tflite: uint8 pixels [n, height, width, channels] to float32 [n, classes]."""
    from ai_edge_litert.interpreter import Interpreter

    with without_chatter():  # it tells of its delegate
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


_MARK = "squeezenet_mcu: "  # before what the child says; a graph may print, too


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(f"\n{_MARK}{json.dumps(answer)}\n")
    sys.stdout.flush()


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


def _main() -> None:
    infer, holder, shape = _infer(Path(sys.argv[1]))
    _say({"shape": shape})
    given = json.loads(sys.stdin.readline())
    from squeezenet_mcu.common.tf import tf
    from squeezenet_mcu.convert.keras_front.quantize import Samples, by_tflite

    place = Path(given["place"])
    pixels = Pixels(np.array(given["factor"]), np.array(given["offset"]), given["bgr"], "")
    samples = Samples(np.load(place / "x.npy"), pixels, None)
    plain = tf.lite.TFLiteConverter.from_concrete_functions([infer], holder).convert()
    (place / "float.tflite").write_bytes(plain)
    (place / "int8.tflite").write_bytes(by_tflite(infer, holder, samples, lambda line: None))
    _say({})


if __name__ == "__main__":
    try:
        _main()
    except Exception as error:  # whatever a strange graph causes is said by the parent
        _say({"error": one_line(str(error))})

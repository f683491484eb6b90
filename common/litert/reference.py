"""The golden answers: LiteRT's reference kernels, which compute what TFLite Micro computes.

The default interpreter would use XNNPACK, up to 14 steps away from the device. The resolver that is called
BUILTIN_WITHOUT_DEFAULT_DELEGATES is exact only where a ReLU follows: its convolutions round negative halves
the other way (up to 403 of 4,096 values of a layer of MLPerf Tiny's ResNet-8, one step each); TFLite Micro
and BUILTIN_REF agree there too.
"""

from pathlib import Path
from typing import Any

import numpy as np

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.litert import lookup, wide_softmax
from squeezenet_mcu.common.litert.apart import apart
from squeezenet_mcu.common.terminal import one_line

MOST_TFLITE = 64 << 20  # bytes of a file; the largest MobileNets in int8 have 8 MB


def trouble(content: bytes) -> str | None:
    """What LiteRT says against the .tflite `content`; None where it runs it.

    A child process tries it with zeros, because LiteRT's checks end the program by abort().
    """
    import ai_edge_litert.interpreter  # noqa: F401  # before the fork: a child of TensorFlow's crashes over it

    said = apart(lambda: _refusal(content))
    return "crashes on it" if said is None else said.decode(errors="replace") or None


def _refusal(content: bytes) -> bytes:
    """Empty where there is none."""
    try:
        found = wide_softmax.parts(content)
        model = interpreter(found.head if found else content)
        model.allocate_tensors()
        for given in model.get_input_details():
            model.set_tensor(given["index"], np.zeros(given["shape"], given["dtype"]))
        model.invoke()
        if found:
            interpreter(found.tail).allocate_tensors()  # with these logits it may end the program
    except Exception as error:  # LiteRT lets through whatever a broken file causes
        return f"refuses it ({one_line(str(error))})".encode()
    return b""


def interpreter(content: bytes, preserve: bool = True) -> Any:
    """LiteRT on the reference kernels; `preserve` keeps every intermediate tensor."""
    import ai_edge_litert.interpreter as lite

    return lite.Interpreter(
        model_content=lookup.for_reference(content),
        experimental_op_resolver_type=lite.OpResolverType.BUILTIN_REF,
        experimental_preserve_all_tensors=preserve,
    )


class Reference:
    """Runs an int8 .tflite image by image.

    Args:
        tflite: the file's path or its bytes.
        preserve: keep every intermediate tensor (needed for `tensor`, and for logits before a SOFTMAX).
        edge: scale and zero point of the int8 behind a float input's QUANTIZE; int8 and uint8 need none.
        output_tensor: the int8 tensor of the probabilities, where another edge op follows it.
    """

    def __init__(
        self,
        tflite: bytes | Path,
        preserve: bool = True,
        edge: tuple[float, int] = (1.0, 0),
        output_tensor: int | None = None,
    ) -> None:
        content = tflite if isinstance(tflite, bytes) else tflite.read_bytes()
        self._parts = wide_softmax.parts(content)
        self._interpreter = interpreter(self._parts.head if self._parts else content, preserve)
        self._interpreter.allocate_tensors()
        self._tail = self._interpreter
        if self._parts:
            self._tail = interpreter(self._parts.tail, preserve)
            self._tail.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]
        self._edge = edge
        self._output = self._tail.get_output_details()[0]["index"] if output_tensor is None else output_tensor

    @classmethod
    def of(cls, manifest: dict[str, Any], tflite: bytes | Path) -> "Reference":
        """The reference of a converted model: its manifest.json, and its model.tflite (path or bytes).

        UserError: what the manifest says of input and outputs is not so in the .tflite.
        """
        source = manifest["input"]
        edge = source["scale"], source["zero_point"]
        try:
            found = cls(tflite, edge=edge, output_tensor=manifest["output"]["tensor"])
        except (ValueError, RuntimeError) as error:
            raise cls._error(manifest, f"LiteRT refuses its .tflite ({one_line(str(error))})") from error
        found._check(manifest)
        return found

    def _check(self, manifest: dict[str, Any]) -> None:
        size, output = manifest["input"], manifest["output"]
        image = [1, size["height"], size["width"], size["channels"]]
        if self._input["shape"].tolist() != image:
            seen = self._input["shape"].tolist()
            raise self._error(manifest, f"input {image}; want {seen}, as the .tflite has")
        tensors = {tensor["index"]: tensor for tensor in self._interpreter.get_tensor_details()}
        for name in ("tensor", "logits_tensor"):
            tensor = tensors.get(output[name])
            classes = 0 if tensor is None else int(np.prod(tensor["shape"]))
            if tensor is None or tensor["dtype"] != np.int8 or classes != output["classes"]:
                seen = f"{name} = {output[name]}, {output['classes']} classes"
                raise self._error(manifest, f"output: {seen}; want an int8 tensor of so many values")

    @staticmethod
    def _error(manifest: dict[str, Any], what: str) -> UserError:
        return UserError(
            f"{manifest['model']}: manifest.json: {what}; run: make convert MODEL={manifest['model']}"
        )

    def run(self, x: np.ndarray) -> None:
        """Runs one image, int8 [height, width, channels] (the values after an edge QUANTIZE, if any).

        UserError: LiteRT cannot compute its SOFTMAX (wide_softmax.py).
        """
        details = self._input
        if details["dtype"] == np.uint8:
            x = (x.astype(np.int16) + 128).astype(np.uint8)
        elif details["dtype"] == np.float32:
            scale, zero_point = self._edge
            x = (x.astype(np.float32) - zero_point) * scale
        self._interpreter.set_tensor(details["index"], x.reshape(details["shape"]))
        self._interpreter.invoke()
        if self._parts:
            logits = self._interpreter.get_tensor(self._parts.logits)
            self._parts.check(logits)
            self._tail.set_tensor(self._parts.logits, logits)
            self._tail.invoke()

    def tensor(self, index: int) -> np.ndarray:
        """The value of tensor `index` after the last run."""
        last = self._parts is not None and index in self._parts.made
        found: np.ndarray = (self._tail if last else self._interpreter).get_tensor(index)
        return found

    def infer(self, x: np.ndarray, logits_tensor: int) -> tuple[np.ndarray, np.ndarray]:
        """One image, int8 [height, width, channels] -> (logits, probabilities), int8 [classes] each."""
        self.run(x)
        return self.tensor(logits_tensor).reshape(-1).copy(), self.tensor(self._output).reshape(-1).copy()

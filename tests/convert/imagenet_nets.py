"""ImageNet's networks with random weights, as the tests use them in place of trained ones."""

from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.lowering.tflite_file import TfliteFile
from squeezenet_mcu.host_tools.bench import imagenet_net

VERSIONS = {"v1_0": "v1.0", "v1_1": "v1.1"}


def content(name: str) -> bytes:
    """The .tflite of "v1_0" or "v1_1"."""
    return imagenet_net.tflite(VERSIONS[name])


def parsed(name: str) -> TfliteFile:
    """The same, read."""
    return tflite_file.parse(content(name), f"{name}.tflite")

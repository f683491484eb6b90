"""The one place that imports TensorFlow: TFMOT 0.8 needs Keras 2, chosen before the first import."""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

from squeezenet_mcu.common.chatter import stderr_in, without_chatter

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # oneDNN changes rounding from machine to machine


@contextlib.contextmanager
def _native_stderr_discarded() -> Iterator[None]:
    """Discards what C++ writes to stderr: TensorFlow complains of missing GPUs there, whatever is set.

    Python's own errors are exceptions, and come through.
    """
    with open(os.devnull, "w") as nothing, stderr_in(nothing):  # noqa: PTH123  (a device, not a file)
        yield


def tflite_of(converter: Any) -> bytes:
    """What a tf.lite.TFLiteConverter makes, without its chatter. Raises whatever an operator causes."""
    with without_chatter():
        found: bytes = converter.convert()
    return found


with _native_stderr_discarded():
    import tensorflow as tf

    tf.config.list_physical_devices()  # looks for GPUs now, and complains now

keras = tf.keras

__all__ = ["keras", "tf", "tflite_of"]

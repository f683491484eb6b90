"""The one place that imports TensorFlow: TFMOT 0.8 needs Keras 2, chosen before the first import."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any

from squeezenet_mcu.common.chatter import without_chatter

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # oneDNN changes rounding from machine to machine


@contextlib.contextmanager
def _native_stderr_discarded() -> Iterator[None]:
    """Discards what C++ writes to stderr: TensorFlow complains of missing GPUs there, whatever is set.

    Python's own errors are exceptions, and come through.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nothing:  # noqa: PTH123  (a device, not a file)
            os.dup2(nothing.fileno(), 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)


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

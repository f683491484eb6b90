"""What TensorFlow is told by the environment before it is imported to train."""

import os

from squeezenet_mcu.model.distributed import machine


def prepare() -> None:
    """Sets the variables that the user has not set.

    oneDNN doubles the speed of training on a CPU. Everywhere else it is off (common/tf.py), because it rounds
    differently from machine to machine; trained weights cannot be the same everywhere anyway. Two operators
    run at a time, on half of the cores each: the two halves of a batch, see model/train/loop.py.
    """
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault("TF_NUM_INTEROP_THREADS", "2")
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(max(1, machine.cores() // 2)))

"""C++ libraries tell of their work on stderr: that is dropped, and nothing else."""

import os
import subprocess
import sys

import pytest

from squeezenet_mcu.common.chatter import without_chatter

PROGRAM = """
from squeezenet_mcu.common.tf import tf, tflite_of
infer = tf.function(lambda x: tf.nn.relu(x)).get_concrete_function(tf.TensorSpec([1, 4], tf.float32))
converter = tf.lite.TFLiteConverter.from_concrete_functions([infer], tf.Module())
converter.optimizations = [tf.lite.Optimize.DEFAULT]
converter.representative_dataset = lambda: iter([[tf.zeros([1, 4])]])
assert tflite_of(converter)[4:8] == b"TFL3"
"""


def test_lines_of_information_are_dropped_and_all_others_come(capfd):
    lines = [
        b"fully_quantize: 0, inference_type: 6\n",
        b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n",
        b"W0000 00:00:1700000000.000000 1 file.cc:1] about nothing\n",
        b"ERROR: Regular TensorFlow ops are not supported\n",
        b"what nobody knows, without an end",
    ]
    with pytest.raises(KeyError), without_chatter():
        os.write(2, b"".join(lines))
        raise KeyError
    os.write(2, b"|behind")
    assert capfd.readouterr().err.encode() == b"".join(lines[3:]) + b"|behind"


def test_the_converter_is_silent():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")

"""The one place that imports TensorFlow: TFMOT 0.8 needs Keras 2, chosen before the first import."""

import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # oneDNN changes rounding from machine to machine

import tensorflow as tf

keras = tf.keras

__all__ = ["keras", "tf"]

"""The one place that imports TFMOT: after common.tf has chosen the Keras that it needs."""

# ruff: noqa: I001
from squeezenet_mcu.common.tf import tf as _tf  # first

import tensorflow_model_optimization as tfmot
from tensorflow_model_optimization.python.core.quantization.keras import quantize_layer

del _tf

__all__ = ["quantize_layer", "tfmot"]

"""Post-training quantization: a float Keras model and sample images -> an ordinary int8 .tflite."""

from squeezenet_mcu.convert.ptq.pipeline import quantize

__all__ = ["quantize"]

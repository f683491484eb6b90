"""LiteRT, whose reference kernels say what is right."""

from squeezenet_mcu.common.litert import wide_softmax
from squeezenet_mcu.common.litert.reference import MOST_TFLITE, Reference, interpreter, trouble

__all__ = ["MOST_TFLITE", "Reference", "interpreter", "trouble", "wide_softmax"]

"""What an engine's statuses mean: for messages on the host's side.

Up to 63 ours (firmware_cpp/engine/status.h), from 64 on TensorFlow Lite Micro's (firmware_cpp/tflm/).
"""

STATUS_NAMES = {
    1: "misaligned",
    2: "truncated",
    3: "not an engine model (bad magic)",
    4: "a format version of another converter",
    5: "damaged (CRC-32 does not match)",
    6: "an offset lies outside the model or the arena",
    7: "a layer contradicts its buffers",
    8: "layers are out of order",
    9: "arena too small",
    10: "engine not ready",
    11: "more rows than the image has",
    12: "the memory plan is inconsistent",
    13: "made for another CPU: a kernel is not in this build",
    14: "a null pointer",
    64: "TFLite Micro: an operator could not be registered",
    65: "TFLite Micro refuses the model: arena too small (give TFLM_ARENA_BYTES=), or an operator does",
    66: "TFLite Micro: input or outputs are not those of model_settings.h",
    67: "TFLite Micro: an operator failed",
    68: "TFLite Micro: more rows than the image has",
}


def describe(status: int) -> str:
    """`status` in words, with its number."""
    return f"status {status}, {STATUS_NAMES.get(status, 'unknown')}"

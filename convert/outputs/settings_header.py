"""The settings header: what firmware must know of the model, for TensorFlow Lite Micro or our engine."""

from typing import Any

from squeezenet_mcu.convert.outputs import pixel_code


def _c_string(text: str) -> str:
    """`text` as a C string literal: UTF-8, what is not plain ASCII as three-digit octal escapes."""
    plain = {ord(c) for c in map(chr, range(32, 127))} - {ord('"'), ord("\\"), ord("?")}
    return '"' + "".join(chr(b) if b in plain else f"\\{b:03o}" for b in text.encode()) + '"'


def _of_one_output(output: dict[str, Any]) -> str:
    """A comment on how to read the only output, where there is one only: as a class it is always 0."""
    if output["classes"] != 1:
        return ""
    return """/* One output: q stands for (q - MODEL_OUTPUT_ZERO_POINT) * MODEL_OUTPUT_SCALE. Where it is a
 * sigmoid, 0.5 or more means class 1, and less means class 0. */
"""


def settings_header(manifest: dict[str, Any], resolver: list[str], int8: bool = True) -> str:
    """model_settings.h from the manifest and the resolver methods that TFLM needs (may be empty).

    int8: whether TFLM's kernels for int8 alone will do. They do for all that our engine takes.
    """
    source, output = manifest["input"], manifest["output"]
    labels = manifest["labels"]
    row_bytes = source["width"] * source["channels"]
    arena = manifest["tflm_arena_bytes"]
    tflm = (
        f"#define MODEL_TFLM_ARENA_BYTES {arena}"
        if arena is not None
        else "/* MODEL_TFLM_ARENA_BYTES: none, TFLite Micro itself does not run this model. */"
        if manifest.get("tflm_problem")
        else "/* MODEL_TFLM_ARENA_BYTES: not measured, the tflite-micro wheel is not installed here. */"
    )
    sram = manifest["engine_sram_bytes"]
    ours = (
        "/* Our engine: its arena to the byte (rings, accumulators, scratch, state), 8-byte aligned, for\n"
        " * the model beside this header. `make firmware` plans anew for its board, often with more\n"
        " * memory, for speed: the figure of that plan is in a header of its own. */\n"
        f"#define MODEL_ARENA_BYTES {sram}"
        if sram is not None
        else "/* MODEL_ARENA_BYTES: converted for TensorFlow Lite Micro alone. */"
    )
    digest = bytes.fromhex(manifest["tflite_sha256"])
    sha256 = ", \\\n  ".join(", ".join(map(str, digest[i : i + 16])) for i in (0, 16))
    ops = " \\\n  ".join(f"X({method})" for method in resolver)
    names = " \\\n  ".join(
        _c_string(label) + ("," if i + 1 < len(labels) else "") for i, label in enumerate(labels)
    )
    return f"""/* {manifest["model"]}: made by `make convert` from a .tflite with SHA-256
 * {manifest["tflite_sha256"]}. Do not edit. */
#ifndef MODEL_SETTINGS_H_
#define MODEL_SETTINGS_H_

#include <stdint.h>

#define MODEL_NAME {_c_string(manifest["model"])}

/* Input: int8 rows, HWC, top row first. Real value = scale * (int8 - zero point). */
#define MODEL_INPUT_HEIGHT {source["height"]}
#define MODEL_INPUT_WIDTH {source["width"]}
#define MODEL_INPUT_CHANNELS {source["channels"]}
#define MODEL_INPUT_SCALE {source["scale"]!r}f
#define MODEL_INPUT_ZERO_POINT ({source["zero_point"]})
#define MODEL_ROW_BYTES {row_bytes}

{pixel_code.function(source)}
/* Outputs: int8 vectors. Logits are the input of SOFTMAX, or the output where there is none. */
#define MODEL_CLASSES {output["classes"]}
#define MODEL_LOGITS_SCALE {output["logits_scale"]!r}f
#define MODEL_LOGITS_ZERO_POINT ({output["logits_zero_point"]})
#define MODEL_OUTPUT_SCALE {output["scale"]!r}f
#define MODEL_OUTPUT_ZERO_POINT ({output["zero_point"]})
{_of_one_output(output)}
{ours}

/* TensorFlow Lite Micro: the smallest tensor arena with which its real interpreter accepts the model,
 * measured on a 64-bit host, whose pointers are twice as wide: an upper bound for a Cortex-M.
 * Align it to 16 bytes. */
{tflm}

/* The SHA-256 of the .tflite, and its tensors that hold the two outputs above, int8 both. */
#define MODEL_TFLITE_SHA256 \\
  {sha256}
#define MODEL_LOGITS_TENSOR {output["logits_tensor"]}
#define MODEL_OUTPUT_TENSOR {output["tensor"]}

/* The ops to register with a tflite::MicroMutableOpResolver<MODEL_OP_COUNT>:
 *   #define X(method) resolver.method();
 *   MODEL_OPS(X) */
#define MODEL_OP_COUNT {len(resolver)}
/* 1: registrations for int8 alone will do, as tflite::Register_CONV_2D_INT8(): smaller code. */
#define MODEL_INT8_KERNELS {int(int8)}
#define MODEL_OPS(X) \\
  {ops}

/* Class names in the order of the outputs; empty when the model has none:
 *   static const char* const labels[] = {{MODEL_LABELS}}; */
#define MODEL_LABEL_COUNT {len(labels)}
#define MODEL_LABELS \\
  {names}

#endif /* MODEL_SETTINGS_H_ */
"""

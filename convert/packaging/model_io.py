"""model_io.h: a pixel to the model's input, the logits to a class and its name, in C."""

from typing import Any

import numpy as np

from squeezenet_mcu.common.preprocess import quantize_images


def input_tables(source: dict[str, Any]) -> list[tuple[int, list[int]]] | None:
    """How pixels become inputs: for each channel of the input, which byte of the pixel, and its values' int8.

    `source`: the manifest's `input`. None where every input is its own byte less 128.
    """
    if source["preprocess"] == "byte":
        return None
    ramp = np.repeat(np.arange(256, dtype=np.uint8), source["channels"]).reshape(256, 1, 1, -1)
    values = quantize_images(ramp, source)[:, 0, 0, :]
    tables = []
    for channel in range(source["channels"]):
        # The byte that moves this input: the other bytes do not.
        moved = [
            byte
            for byte in range(source["channels"])
            if quantize_images(_one(255, byte, source), source)[0, 0, 0, channel] != values[0, channel]
        ]
        tables.append((moved[0] if moved else channel, values[:, channel].tolist()))
    return tables


def _one(value: int, byte: int, source: dict[str, Any]) -> np.ndarray:
    pixel = np.zeros((1, 1, 1, source["channels"]), np.uint8)
    pixel[..., byte] = value
    return pixel


def _input_body(source: dict[str, Any]) -> str:
    tables = input_tables(source)
    if tables is None:
        return "  return (int8_t)(pixel[channel] - 128);\n"
    rows = ",\n".join("      {" + ", ".join(map(str, values)) + "}" for _, values in tables)
    order = ", ".join(str(byte) for byte, _ in tables)
    return f"""  static const int8_t values[MODEL_INPUT_CHANNELS][256] = {{
{rows}}};
  static const uint8_t order[MODEL_INPUT_CHANNELS] = {{{order}}};
  return values[channel][pixel[order[channel]]];
"""


def _label_body(labels: list[str]) -> str:
    if not labels:
        return '  (void)index;\n  return "";\n'
    return "  static const char* const labels[] = {MODEL_LABELS};\n  return labels[index];\n"


def header(manifest: dict[str, Any]) -> str:
    """The header's text; `manifest`: of the conversion."""
    source = manifest["input"]
    return f"""/* {manifest["model"]}: from pixels to inputs, from logits to a class.
 * Made by `make convert`, do not edit. */
#ifndef MODEL_IO_H_
#define MODEL_IO_H_

#include <stdint.h>

#include "model_settings.h"

/* Input `channel` of a pixel of MODEL_INPUT_CHANNELS bytes (RGB, or gray).
 * Preprocessing: "{source["preprocess"]}". */
static inline int8_t model_input(const uint8_t* pixel, int channel) {{
{_input_body(source)}}}

/* The class of the largest of MODEL_CLASSES logits; the first of equal ones. */
static inline int model_top_class(const int8_t* logits) {{
  int top = 0;
  for (int i = 1; i < MODEL_CLASSES; ++i) {{
    if (logits[i] > logits[top]) top = i;
  }}
  return top;
}}

/* The name of class `index`; "" when the model has no names. */
static inline const char* model_label(int index) {{
{_label_body(manifest["labels"])}}}

#endif /* MODEL_IO_H_ */
"""

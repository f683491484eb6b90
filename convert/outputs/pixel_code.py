"""A pixel to the model's input as C code, for the headers that programs of others include."""

from collections.abc import Sequence
from typing import Any

from squeezenet_mcu.common.preprocess import byte_of, plain, tables

_PER_LINE = 16


def function(source: dict[str, Any]) -> str:
    """`model_input`, of C99 and of C++: what Python feeds, as tables. `source`: the manifest's `input`."""
    channels = source["channels"]
    table = tables(channels, source)
    order = byte_of(source["preprocess"], channels)
    in_order = order == list(range(channels))
    byte = "pixel[channel]" if in_order else "pixel[order[channel]]"
    body = "" if in_order else f"  static const uint8_t order[{channels}] = {{{_joined(order)}}};\n"
    if plain(table):
        body += f"  return (int8_t)({byte} - 128);"
    elif (table == table[0]).all():
        body += f"  static const int8_t values[256] = {_rows(table[0].tolist())};\n  return values[{byte}];"
    else:
        rows = ",\n    ".join(_rows(row) for row in table.tolist())
        body += f"  static const int8_t values[{channels}][256] = {{\n    {rows}}};\n"
        body += f"  return values[channel][{byte}];"
    return f"""/* Input `channel` of a pixel of MODEL_INPUT_CHANNELS bytes (RGB, or gray).
 * Preprocessing "{source["preprocess"]}", then scale and zero point.
 * To TensorFlow Lite Micro, a .tflite with a uint8 input wants this value + 128, one with a float32 input
 * MODEL_INPUT_SCALE * (value - MODEL_INPUT_ZERO_POINT). */
static inline int8_t model_input(const uint8_t* pixel, int channel) {{
{body}
}}
"""


def _joined(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))


def _rows(numbers: list[int]) -> str:
    lines = [_joined(numbers[i : i + _PER_LINE]) for i in range(0, len(numbers), _PER_LINE)]
    return "{\n      " + ",\n      ".join(lines) + "}"

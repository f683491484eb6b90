"""model_io.h: the logits to a class and its name, in C; with model_settings.h, a pixel to the input."""

from typing import Any


def _label_body(labels: list[str]) -> str:
    if not labels:
        return '  (void)index;\n  return "";\n'
    return "  static const char* const labels[] = {MODEL_LABELS};\n  return labels[index];\n"


def header(manifest: dict[str, Any]) -> str:
    """The header's text; `manifest`: of the conversion."""
    return f"""/* {manifest["model"]}: from pixels to inputs, from logits to a class.
 * Made by `make convert`, do not edit. */
#ifndef MODEL_IO_H_
#define MODEL_IO_H_

#include <stdint.h>

#include "model_settings.h" /* model_input() */

/* The class of the largest of MODEL_CLASSES logits; the first of equal ones. Of one output always 0: see
 * MODEL_OUTPUT_SCALE in model_settings.h for its value. */
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

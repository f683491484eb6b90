"""C arrays: bytes as `const unsigned char[]`, for C and C++ alike."""

import re


def c_array(name: str, data: bytes, origin: str) -> tuple[str, str]:
    """Header and source of a 16-byte aligned constant array.

    Args:
        name: the array's name; its length is `<name>_len`.
        data: its bytes.
        origin: one line on where the bytes come from, for the comment.

    Returns:
        (header text, source text); the source includes "<file>.h", where <file> is the name without `g_`.
    """
    file = name.removeprefix("g_")
    guard = re.sub(r"\W", "_", file).upper() + "_H_"
    header = f"""/* {origin} */
#ifndef {guard}
#define {guard}

#ifdef __cplusplus
extern "C" {{
#endif

extern const unsigned char {name}[{len(data)}]; /* 16-byte aligned */
extern const unsigned int {name}_len;

#ifdef __cplusplus
}}
#endif

#endif /* {guard} */
"""
    # Decimal numbers make the shortest source; 20 on a line keep editors and compilers fast.
    values = [str(b) for b in data]
    lines = ",\n".join(",".join(values[i : i + 20]) for i in range(0, len(values), 20))
    source = f"""/* {origin} */
#include "{file}.h"

#ifdef __cplusplus
#define ALIGN_16 alignas(16)
#else
#define ALIGN_16 _Alignas(16)
#endif

const unsigned int {name}_len = {len(data)}u;
ALIGN_16 const unsigned char {name}[{len(data)}] = {{
{lines}}};
"""
    return header, source

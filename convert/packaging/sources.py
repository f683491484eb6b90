"""The engine's files for one family of kernels, as firmware_cpp/engine/CMakeLists.txt picks them."""

import re

from squeezenet_mcu.common.paths import FIRMWARE

ENGINE = FIRMWARE / "engine"
PUBLIC_HEADERS = ("engine.h", "format.h", "model.h", "squeeze.h", "status.h")  # as CMakeLists.txt installs
_INCLUDE = re.compile(r'^#include "engine/([^"]+)"', re.M)
# Arduino takes no flags from a library; why the engine needs this one: firmware_cpp/engine/CMakeLists.txt.
_ALIASING = """\
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-strict-aliasing")
#endif
"""
_WRONG_CPU = {
    "portable": "",
    "v6m": """\
#if defined(__arm__) && (!defined(__ARM_ARCH_ISA_THUMB) || __ARM_ARCH_ISA_THUMB != 1)
#error "this package is for Cortex-M0, M0+ and M23: make convert PACKAGE=... KERNEL_FAMILY=dsp or portable"
#endif
""",
    "dsp": """\
#if defined(__arm__) && !defined(__ARM_FEATURE_DSP)
#error "this package is for Cortex-M4, M7, M33 with DSP: make convert PACKAGE=... KERNEL_FAMILY=portable"
#endif
""",
    "mve": """\
#if !defined(__ARM_FEATURE_MVE)
#error "this package is for Cortex-M55 and M85: make convert PACKAGE=... KERNEL_FAMILY=dsp or portable"
#endif
""",
}


def compiled(family: str) -> list[str]:
    """Paths in engine/ of what is compiled: a family's file replaces the portable one of the same name."""
    chosen = {path.name: path for path in ENGINE.glob("portable/*.cc")}
    if family != "portable":
        chosen |= {path.name: path for path in ENGINE.glob(f"{family}/*.cc")}
    paths = [*ENGINE.glob("*.cc"), *chosen.values()]
    return sorted(path.relative_to(ENGINE).as_posix() for path in paths)


def with_headers(files: list[str]) -> list[str]:
    """`files` and all headers that they include, directly or not, and the public ones."""
    found = set(files) | set(PUBLIC_HEADERS)
    waiting = sorted(found)
    while waiting:
        for name in _INCLUDE.findall((ENGINE / waiting.pop()).read_text(encoding="utf-8")):
            if name not in found:
                found.add(name)
                waiting.append(name)
    return sorted(found)


def _built_for_size() -> set[str]:
    """Files that CMakeLists.txt compiles by -Os."""
    text = (ENGINE / "CMakeLists.txt").read_text(encoding="utf-8")
    found = re.search(r"set_source_files_properties\(([^)]*?) PROPERTIES COMPILE_OPTIONS -Os\)", text)
    assert found is not None, "CMakeLists.txt names them"
    return set(found[1].split())


def configured(family: str, kernels: list[str]) -> dict[str, bytes]:
    """Sources for build systems without options of ours: path in engine/ -> content, .cc as .cpp.

    Each includes engine/squeeze_config.h first, which says which kernels there are. Arduino compiles all for
    size: files of inner loops ask for speed themselves.
    """
    macros = "".join(f"#define SQUEEZE_KERNEL_{name.upper()} 1\n" for name in kernels)
    config = f"""// Which of the engine's kernels the model uses; each source includes this first.
#ifndef SQUEEZE_ENGINE_SQUEEZE_CONFIG_H_
#define SQUEEZE_ENGINE_SQUEEZE_CONFIG_H_

{_WRONG_CPU[family]}{macros}
#endif  // SQUEEZE_ENGINE_SQUEEZE_CONFIG_H_
"""
    contents = {"squeeze_config.h": config.encode()}
    size = _built_for_size()
    for name in with_headers(compiled(family)):
        text = (ENGINE / name).read_text(encoding="utf-8")
        if name.endswith(".cc"):
            speed = "" if name in size else '#pragma GCC optimize("O2")\n'
            text = f'#include "engine/squeeze_config.h"\n{_ALIASING}{speed}{text}'
        contents[re.sub(r"\.cc$", ".cpp", name)] = text.encode()
    return contents

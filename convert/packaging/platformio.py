"""A PlatformIO library, public headers in include/.

The layout: https://docs.platformio.org/en/latest/librarymanager/creating.html
"""

import json
import re

from squeezenet_mcu.common.version import version
from squeezenet_mcu.convert.packaging import arduino, sources
from squeezenet_mcu.convert.packaging.package import EXAMPLES, Package, fill

_INI = """; pio run -t upload; then: python ../../extras/send_picture.py PORT PICTURE
[env]
framework = arduino
lib_deps = symlink://../..

[env:nano33ble]
platform = nordicnrf52
board = nano33ble

[env:pico]
platform = raspberrypi
board = pico
"""


def files(package: Package) -> tuple[str, dict[str, bytes]]:
    """The library's folder, and its files."""
    name = arduino.library_name(package)
    manifest = {
        "name": re.sub(r"-+", "-", re.sub(r"[^a-z0-9]", "-", name.lower())).strip("-"),
        "version": version(),
        "description": f"{package.sentence} {package.paragraph}",
        "keywords": ["squeezenet", "neural network", "image classification"],
        "license": "Apache-2.0",
        "frameworks": "*",
        "platforms": "*",
        "headers": f"{name}.h",
        # Of the library's own sources. GCC knows it from a pragma as well, but Clang has only the flag.
        "build": {"flags": "-fno-strict-aliasing"},
        "examples": [
            {
                "name": "rows_from_serial",
                "base": "examples/rows_from_serial",
                "files": ["platformio.ini", "src/main.cpp"],
            }
        ],
    }
    sketch = fill(EXAMPLES / "rows_from_serial.ino.in", HEADER=f"{name}.h").decode()
    content = {
        **package.metadata(),
        "library.json": (json.dumps(manifest, indent=2) + "\n").encode(),
        f"include/{name}.h": arduino.umbrella(name, package),
        "examples/rows_from_serial/platformio.ini": _INI.encode(),
        "examples/rows_from_serial/src/main.cpp": sketch.replace(
            "#include", "#include <Arduino.h>\n#include", 1
        ).encode(),
        "extras/send_picture.py": package.sender(),
    }
    for path, data in sources.configured(package.family, package.kernels).items():
        folder = "include" if path in sources.PUBLIC_HEADERS else "src"
        content[f"{folder}/engine/{path}"] = data
    for path, data in package.model.items():
        folder = "include" if path.endswith(".h") else "src"
        content[f"{folder}/model/{path}"] = data
    # Its header is in another folder.
    source = content["src/model/model_sqz.c"]
    content["src/model/model_sqz.c"] = source.replace(
        b'#include "model_sqz.h"', b'#include "model/model_sqz.h"'
    )
    return name, content

"""An Arduino library: https://arduino.github.io/arduino-cli/latest/library-specification (format 1.5)."""

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.version import version
from squeezenet_mcu.convert.packaging import sources
from squeezenet_mcu.convert.packaging.package import EXAMPLES, Package, fill

_LONGEST_NAME = 63  # of a library: the specification, "name"


def library_name(package: Package) -> str:
    """Name of the library, its folder, and its header less ".h"."""
    name = f"Squeeze_{package.identifier}"
    if len(name) > _LONGEST_NAME:
        raise UserError(
            f"Arduino library {name}: {len(name)} characters; want {_LONGEST_NAME}: give --model a name"
        )
    return name


def umbrella(name: str, package: Package) -> bytes:
    """The one header that a sketch includes. src/ is the only include folder, so paths start there."""
    return f"""// {package.sentence}
#ifndef {name.upper()}_H_
#define {name.upper()}_H_

#include "engine/squeeze.h"
#include "model/model_io.h"
#include "model/model_settings.h"
#include "model/model_sqz.h"

#endif  // {name.upper()}_H_
""".encode()


def files(package: Package) -> tuple[str, dict[str, bytes]]:
    """The library's name, and its files."""
    name = library_name(package)
    properties = {
        "name": name,
        "version": version(),
        "author": "SqueezeNet on microcontrollers",
        "maintainer": "SqueezeNet on microcontrollers",
        "sentence": package.sentence,
        "paragraph": package.paragraph,
        "category": "Data Processing",
        "url": "https://arxiv.org/abs/1602.07360",
        "architectures": "*",
        "includes": f"{name}.h",
        "license": "Apache-2.0",
        "dot_a_linkage": "true",  # an archive: objects that nothing calls are not linked
    }
    content = {
        **package.metadata(),
        "library.properties": "".join(f"{key}={value}\n" for key, value in properties.items()).encode(),
        f"src/{name}.h": umbrella(name, package),
        "examples/rows_from_serial/rows_from_serial.ino": fill(
            EXAMPLES / "rows_from_serial.ino.in", HEADER=f"{name}.h"
        ),
        "extras/send_picture.py": package.sender(),
    }
    for path, data in sources.configured(package.family, package.kernels).items():
        content[f"src/engine/{path}"] = data
    content |= {f"src/model/{path}": data for path, data in package.model.items()}
    return name, content

"""A CMake package: by add_subdirectory, or installed and found by find_package."""

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.version import version
from squeezenet_mcu.convert.packaging import sources
from squeezenet_mcu.convert.packaging.package import EXAMPLES, Package, fill

_EXAMPLES = ("classify.c", "camera_lines.h", "camera_lines.c", "camera_file.c")
_TEMPLATES = sources.ENGINE.parent / "package"


def files(package: Package) -> tuple[str, dict[str, bytes]]:
    """The package's name, and its files."""
    name = f"squeeze_{package.identifier}"
    if package.identifier == "engine":
        raise UserError("--package cmake: model engine would hide the target squeeze_engine: rename it")
    values = {
        "PACKAGE": name,
        "VERSION": version(),
        "FAMILY": package.family,
        "KERNELS": ";".join(package.kernels),
        "ABOUT": package.sentence,
    }
    content = {
        **package.metadata(),
        "CMakeLists.txt": fill(_TEMPLATES / "CMakeLists.txt.in", **values),
        f"{name}Config.cmake": fill(_TEMPLATES / "Config.cmake.in", **values),
        "examples/CMakeLists.txt": fill(EXAMPLES / "CMakeLists.txt.in", **values),
    }
    chosen = [
        *sources.with_headers(sources.compiled(package.family)),
        "CMakeLists.txt",
        "squeeze_engineConfig.cmake.in",
    ]
    content |= {f"engine/{path}": (sources.ENGINE / path).read_bytes() for path in chosen}
    content |= {f"model/{path}": data for path, data in package.model.items()}
    content |= {f"examples/{path}": (EXAMPLES / path).read_bytes() for path in _EXAMPLES}
    return name, content

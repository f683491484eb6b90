"""A CMake project in C alone, `project(app C)`, uses the package on the host and on a Cortex-M4.

Nothing of the C++ run time is linked. Its program is that of docs/embedding.md, word by word.
"""

import re
import shutil

import pytest

from squeezenet_mcu.common.data import sources
from squeezenet_mcu.convert import packaging
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.outputs import artefacts
from squeezenet_mcu.convert.target import Target
from squeezenet_mcu.model.settings import config
from tests.embedding import builds
from tests.embedding.builds import call
from tests.embedding.conftest import LABELS

REPO = builds.HERE.parents[1]
APP = builds.HERE / "c_only"
MOST_TEXT = 36_500  # bytes of code and constants of the digits example, C library included
CPLUSPLUS = r"\b(__gxx_\w+|__cxa_\w+|_Unwind_\w+|_Z(?!\w*7squeeze)\w+)\b"  # what libstdc++ would give


def page():
    """The section of docs/embedding.md that has the whole program."""
    text = (REPO / "docs" / "embedding.md").read_text(encoding="utf-8")
    return re.search(r"^## In C\n(.*?)^## ", text, re.M | re.S)[1]


def block(language):
    return re.search(rf"^```{language}\n(.*?)^```", page(), re.M | re.S)[1]


@pytest.fixture(scope="module")
def main(tmp_path_factory):
    path = tmp_path_factory.mktemp("main") / "main.c"
    path.write_text(block("c"))
    return path


@pytest.fixture(scope="module")
def main_of_board(main):
    """The same with a serial port's register in the place of the host's getchar()."""
    assert main.read_text().count("getchar()") == 1
    path = main.with_name("main_of_board.c")
    path.write_text(main.read_text().replace("getchar()", "*(volatile const uint8_t*)0x40004000"))
    return path


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    """The CMake package of the digits network, as `make convert MODEL=digits PACKAGE=cmake` makes it."""
    folder = tmp_path_factory.mktemp("digits")
    content = (REPO / "model/zoo/digits/model.tflite").read_bytes()
    limits = config.load("digits").convert.flash_bytes
    c = artefacts.convert(tflite_file.parse(content), "digits", [str(i) for i in range(10)], "unit", limits)
    manifest = artefacts.describe(c, artefacts.Origin({}, ""), None)
    artefacts.write(c, folder / "model", manifest)
    made = packaging.make(["cmake"], c, manifest, Target(flash_bytes=limits["portable"]))
    packaging.write(made, folder / "package")
    return folder / "package/cmake/squeeze_digits"


def build(source, folder, *options):
    call(["cmake", "-G", "Ninja", "-S", source, "-B", folder, *options])
    call(["cmake", "--build", folder])


def toolchain(machine):
    return ["--toolchain", APP / "cortex_m4.cmake"] if machine == "cortex_m4" else []


def used(package, how, machine, folder):
    """Options of a project that uses the package one way or the other, which builds and installs it first."""
    if how == "subdirectory":
        return [*toolchain(machine), f"-DFOLDER={package}"]
    build(package, folder / "package", *toolchain(machine))
    call(["cmake", "--install", folder / "package", "--prefix", folder / "prefix"])
    return [*toolchain(machine), f"-Dsqueeze_{package.name.removeprefix('squeeze_')}_DIR="
            f"{folder / 'prefix/lib/cmake' / package.name}"]  # fmt: skip


def check_linked_by_c(folder, program, compiler):
    """The C compiler linked it, and nothing in it is of C++'s run time."""
    commands = call(["ninja", "-C", folder, "-t", "commands", program]).stdout.splitlines()
    assert re.search(rf"(^|/|\s){compiler} ", commands[-1]), commands[-1]
    tool = "arm-none-eabi-nm" if "arm" in compiler else "nm"
    assert not re.findall(CPLUSPLUS, call([tool, folder / program]).stdout.replace("__cxa_finalize", ""))


@pytest.mark.parametrize("how", ["subdirectory", "installed"])
def test_the_example_links_and_runs_on_the_host(packages, main, tmp_path, how):
    package = packages.folders["portable"] / "cmake/squeeze_odd_net_7"
    options = used(package, how, "host", tmp_path)
    build(APP, tmp_path / "app", f"-DMAIN={main}", "-DMODEL=odd_net_7", *options)
    check_linked_by_c(tmp_path / "app", "app", "cc")
    for image, top in zip(packages.images, packages.top, strict=True):
        (tmp_path / "pixels").write_bytes(image.tobytes())
        with (tmp_path / "pixels").open("rb") as stream:
            assert call([tmp_path / "app/app"], stdin=stream).stdout == f"{LABELS[top]}\n"


@pytest.mark.parametrize("how", ["subdirectory", "installed"])
def test_the_digits_example_is_small_on_a_cortex_m4(digits, main_of_board, tmp_path, how):
    options = [*used(digits, how, "cortex_m4", tmp_path), "-DCMAKE_BUILD_TYPE=MinSizeRel"]
    build(APP, tmp_path / "app", f"-DMAIN={main_of_board}", "-DMODEL=digits", *options)
    check_linked_by_c(tmp_path / "app", "app", "arm-none-eabi-gcc")
    size = call(["arm-none-eabi-size", tmp_path / "app/app"]).stdout.splitlines()[1].split()
    assert int(size[0]) <= MOST_TEXT
    text = (REPO / "docs" / "embedding.md").read_text(encoding="utf-8")
    told = re.search(r"takes\s([\d,]+) bytes of flash", text)[1]
    assert int(told.replace(",", "")) == pytest.approx(int(size[0]), rel=0.02)


def test_the_pages_files_and_commands_are_all_that_it_takes(digits, main, tmp_path):
    """Its main.c, its CMakeLists.txt, and its commands, as they stand there, but for the picture."""
    shutil.copytree(digits, tmp_path / "app/squeeze_digits")
    shutil.copy(main, tmp_path / "app/main.c")
    (tmp_path / "app/CMakeLists.txt").write_text(block("cmake"))
    images = sources.load("digits", "test", 28, 28, 1, limit=1)
    label = images.y[0]
    (tmp_path / "pixels").write_bytes(images.x[0].tobytes())
    commands = [line for line in page().splitlines() if line.startswith(("cmake ", "app/"))]
    assert len(commands) == 4
    printed = [call(["bash", "-c", command], cwd=tmp_path).stdout for command in commands]
    assert printed[1] == f"{label}\n"
    assert re.fullmatch(rf"{label} {label} \d+\n", printed[3])


def test_the_packages_examples_are_c_alone_too(packages, tmp_path):
    """classify.c and camera_file.c with newlib's files, which the linker must find everything for."""
    package = packages.folders["dsp"] / "cmake/squeeze_odd_net_7"
    build(package / "examples", tmp_path, *toolchain("cortex_m4"))
    for program in ("classify", "camera_file"):
        check_linked_by_c(tmp_path, program, "arm-none-eabi-gcc")

"""The CMake package, used by a second project both ways; the examples in C; the C API's statuses."""

import re
import subprocess

import numpy as np
import pytest

from squeezenet_mcu.common.kernel_families import FAMILIES
from squeezenet_mcu.common.paths import FIRMWARE
from squeezenet_mcu.convert.packaging import package, sources
from squeezenet_mcu.convert.verify import engine_status
from tests.embedding import builds
from tests.embedding.builds import call
from tests.embedding.conftest import LABELS

PACKAGE = "squeeze_odd_net_7"
ENGINE = FIRMWARE / "engine"
STRICT = "-Wall -Wextra -Werror -pedantic"
SANITIZED = "-g -fsanitize=address,undefined -fno-sanitize-recover=all"


def cmake(source, build, *options):
    call(["cmake", "-G", "Ninja", "-S", source, "-B", build, *options])
    call(["cmake", "--build", build])


@pytest.fixture(scope="module")
def installed(packages, tmp_path_factory):
    """The prefix that the package, built under the sanitizers, is installed to."""
    folder = tmp_path_factory.mktemp("installed")
    flags = [f"-DCMAKE_C_FLAGS={SANITIZED}", f"-DCMAKE_CXX_FLAGS={SANITIZED}"]
    cmake(packages.folders["portable"] / "cmake" / PACKAGE, folder / "build", *flags)
    call(["cmake", "--install", folder / "build", "--prefix", folder / "prefix"])
    return folder / "prefix"


@pytest.fixture(scope="module")
def examples(packages, installed, tmp_path_factory):
    """The package's own examples with the installed package, C11 and every warning an error."""
    folder = tmp_path_factory.mktemp("examples")
    flags = [f"-DCMAKE_C_FLAGS={STRICT} {SANITIZED}", f"-DCMAKE_CXX_FLAGS={SANITIZED}"]
    source = packages.folders["portable"] / "cmake" / PACKAGE / "examples"
    cmake(source, folder, *flags, "-DINSTALLED=ON", f"-DCMAKE_PREFIX_PATH={installed}")
    assert str(installed) in (folder / "build.ninja").read_text()
    return folder


def answer(packages, number):
    top = packages.top[number]
    return f"{top} {LABELS[top]} {int(packages.probabilities[number, top]) + 128}\n"


def test_classify(packages, examples, tmp_path):
    for number, image in enumerate(packages.images):
        (tmp_path / "pixels").write_bytes(image.tobytes())
        assert call([examples / "classify", tmp_path / "pixels"]).stdout == answer(packages, number)
    with (tmp_path / "pixels").open("rb") as stream:
        assert call([examples / "classify"], stdin=stream).stdout == answer(packages, number)


def test_classify_says_what_is_wrong(packages, examples, tmp_path):
    (tmp_path / "short").write_bytes(packages.images[0].tobytes()[:-1])
    for path, message in (("short", "too short; want 38 rows of 81 bytes"), ("none", "cannot be read")):
        done = subprocess.run(
            [examples / "classify", tmp_path / path], capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert message in done.stderr


def test_camera_lines_need_no_frame(packages, examples, tmp_path):
    """A camera of twice the size whose noise averages to the picture; LiteRT answers the averaged picture."""
    rng = np.random.default_rng(2)
    for number, image in enumerate(packages.images):
        large = image.repeat(2, 0).repeat(2, 1).astype(np.int16)
        noise = rng.integers(0, 30, image.shape)
        room = np.minimum(noise, np.minimum(image, 255 - image))
        for dy, dx, sign in ((0, 0, 1), (0, 1, -1), (1, 0, -1), (1, 1, 1)):
            large[dy::2, dx::2] += (sign * room).astype(np.int16)
        (tmp_path / "frame").write_bytes(large.astype(np.uint8).tobytes())
        top = packages.top[number]
        assert call([examples / "camera_file", tmp_path / "frame"]).stdout == f"{top} {LABELS[top]}\n"
    (tmp_path / "frame").write_bytes(large.astype(np.uint8).tobytes()[:-1])
    done = subprocess.run(
        [examples / "camera_file", tmp_path / "frame"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, "camera_file: too few lines\n")


def test_camera_memory_is_arena_and_one_line(packages, tmp_path):
    tree = packages.folders["dsp"] / "cmake" / PACKAGE
    source = tree / "examples" / "camera_lines.c"
    (built,) = builds.compiled(builds.NANO33BLE, [source], [tree, tree / "model"], tmp_path)
    listing = call(["arm-none-eabi-nm", "-S", built]).stdout
    sizes = {
        name: int(size, 16) for size, kind, name in re.findall(r"^\w+ (\w+) ([bBdD]) (\w+)$", listing, re.M)
    }
    row = packages.images.shape[2] * packages.images.shape[3]
    arena = re.search(r"#define MODEL_ARENA_BYTES (\d+)", (tree / "model/model_settings.h").read_text())[1]
    assert sizes == {"arena": int(arena), "sums": 2 * row, "engine": 128, "lines": 4}


def test_misuse_is_answered_by_statuses(installed, tmp_path):
    """Engine and caller under the sanitizers: an access by a null or misaligned pointer ends the program."""
    headers, libraries = installed / "include", installed / "lib"
    call(["gcc", "-std=c11", *STRICT.split(), *SANITIZED.split(), f"-I{headers}", f"-I{headers / PACKAGE}",
          builds.HERE / "c_api_misuse.c", libraries / f"lib{PACKAGE}.a", libraries / "libsqueeze_engine.a",
          "-o", tmp_path / "misuse"])  # fmt: skip
    done = subprocess.run([tmp_path / "misuse"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_each_function_of_the_header_is_misused():
    """A function that is added to squeeze.h is added to c_api_misuse.c as well."""
    header = (sources.ENGINE / "squeeze.h").read_text()
    declared = set(re.findall(r"^[\w* ]+?\b(squeeze_\w+)\(", header, re.M))
    assert len(declared) == 12
    misused = (builds.HERE / "c_api_misuse.c").read_text()
    assert {name for name in declared if f"{name}(" not in misused} == {"squeeze_status_text"}


@pytest.mark.parametrize("how", ["subdirectory", "installed"])
def test_another_project_uses_the_package(packages, installed, tmp_path, how):
    ways = {
        "subdirectory": [f"-DFOLDER={packages.folders['dsp'] / 'cmake' / PACKAGE}"],
        "installed": [f"-DCMAKE_PREFIX_PATH={installed}", f"-DCMAKE_CXX_FLAGS={SANITIZED}"],
    }
    cmake(builds.HERE / "consumer", tmp_path, "-DMODEL=odd_net_7", *ways[how])
    for number, image in enumerate(packages.images):
        (tmp_path / "pixels").write_bytes(image.tobytes())
        with (tmp_path / "pixels").open("rb") as stream:
            logits = call([tmp_path / "consumer"], stdin=stream).stdout.split()
        assert [int(value) for value in logits] == packages.logits[number].tolist()


def test_installed_headers_are_the_public_ones(installed, tmp_path):
    headers = {path.relative_to(installed / "include").as_posix() for path in installed.rglob("*.h")}
    models = {f"{PACKAGE}/{name}" for name in ("model_io.h", "model_settings.h", "model_sqz.h")}
    assert headers == models | {f"engine/{name}" for name in sources.PUBLIC_HEADERS}
    folders = [f"-I{installed / 'include'}", f"-I{installed / 'include' / PACKAGE}"]
    for language, standard in (("c", "c11"), ("c++", "c++11")):
        options = ["-x", language, f"-std={standard}", *STRICT.split(), "-Wno-unused-function", *folders]
        for header in sorted(models | {"engine/squeeze.h"}):
            source = tmp_path / "user"
            source.write_text(f'#include "{header}"\nint user;\n')
            call(["gcc", *options, "-fsyntax-only", source])


def test_examples_find_the_package_beside_them(packages, tmp_path):
    folder = packages.folders["dsp"] / "cmake" / PACKAGE
    call(["cmake", "-G", "Ninja", "-S", folder / "examples", "-B", tmp_path])
    assert str(folder / "engine" / "squeeze.cc") in (tmp_path / "build.ninja").read_text()


@pytest.mark.parametrize("family", FAMILIES)
def test_sources_are_those_of_the_engines_build(family, tmp_path):
    """sources.compiled and engine/CMakeLists.txt choose the same files; the engine configures alone."""
    call(["cmake", "-G", "Ninja", "-S", sources.ENGINE, "-B", tmp_path, f"-DSQUEEZE_FAMILY={family}",
          "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON"])  # fmt: skip
    files = re.findall(r'"file": "[^"]*/engine/([^"]+)"', (tmp_path / "compile_commands.json").read_text())
    assert sorted(files) == sources.compiled(family)
    commands = re.findall(r'"command": "([^"]+)"', (tmp_path / "compile_commands.json").read_text())
    for flag in ("-fno-exceptions", "-fno-rtti", "-fno-strict-aliasing"):
        assert all(f" {flag} " in command for command in commands), flag
    assert "Werror" not in (tmp_path / "compile_commands.json").read_text(), (
        "not for other people's compilers"
    )


def test_versions_agree():
    text = (sources.ENGINE / "CMakeLists.txt").read_text()
    assert re.search(r"project\(squeeze_engine VERSION (\S+)", text)[1] == package.version()


def test_statuses_of_c_are_those_of_the_engine():
    engine, c = ((sources.ENGINE / name).read_text() for name in ("status.h", "squeeze.h"))
    theirs = {int(n): re.sub(r"(?<=.)([A-Z])", r"_\1", name).upper()
              for name, n in re.findall(r"\bk([A-Z]\w+) = (\d+)", engine)}  # fmt: skip
    ours = {int(n): name for name, n in re.findall(r"\bSQUEEZE_(\w+) = (\d+)", c)}
    assert ours == theirs
    assert len(ours) == 15


def test_status_texts_are_those_of_the_host():
    import ctypes

    from squeezenet_mcu.convert.verify.host_engine import build

    text = ctypes.CDLL(str(build())).squeeze_status_text
    text.restype = ctypes.c_char_p
    assert text(0) == b"ok"
    ours = {status: words for status, words in engine_status.STATUS_NAMES.items() if status < 64}
    assert len(ours) == 14
    for status, words in ours.items():
        assert text(status).decode() == words
    assert text(99) == text(-1) == b"unknown"


def test_the_kernels_names_of_version_0_1_0_go_on_working(tmp_path):
    def definitions(*kernels):
        folder = tmp_path / kernels[0]
        options = ["-DSQUEEZE_FAMILY=dsp", f"-DSQUEEZE_KERNELS={';'.join(kernels)}"]
        said = call(["cmake", "-G", "Ninja", "-S", ENGINE, "-B", folder, *options]).stderr
        found = re.findall(r"-DSQUEEZE_KERNEL_(\w+)=1", (folder / "build.ninja").read_text())
        return {name.lower() for name in found}, said

    old, said = definitions("plain", "list", "coded", "gemm")
    new, nothing = definitions("reference", "sparse_list", "huffman", "gemm")
    assert old == new == {"reference", "sparse_list", "huffman", "gemm"}
    assert "SQUEEZE_KERNELS: list is now sparse_list" in said.replace("\n  ", " ")
    assert nothing == ""

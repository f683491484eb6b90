"""The Arduino and PlatformIO trees compile as those platforms do, and the sketch gives LiteRT's answer."""

import json
import os
import pty
import re
import subprocess
import sys
import threading
import zipfile

import pytest

from squeezenet_mcu.convert import packaging
from squeezenet_mcu.convert.target import Target
from tests.embedding import builds
from tests.embedding.builds import HOST, NANO33BLE, SAMD
from tests.embedding.conftest import LABELS

LIBRARY = "Squeeze_odd_net_7"
SKETCH = "examples/rows_from_serial/rows_from_serial.ino"


def arduino(packages, family):
    return packages.folders[family] / "arduino" / LIBRARY


def sketch_program(platform, tree, folder):
    """The sketch as the IDE builds it: Arduino.h before it, all of src/ compiled, headers from src/ alone."""
    sketch = folder / "sketch.cpp"
    sketch.write_text("#include <Arduino.h>\n" + (tree / SKETCH).read_text())
    sources = sorted(path for path in (tree / "src").rglob("*") if path.suffix in (".c", ".cpp"))
    objects = builds.compiled(platform, sources, [tree / "src"], folder / "library")
    mine = [sketch, platform.main]
    objects += builds.compiled(platform, mine, [tree / "src", builds.STAND_IN], folder / "sketch")
    return builds.linked(platform, objects, folder / "sketch.elf")


def expected(packages):
    height = packages.images.shape[1]
    return [f"{'>' * height}{top} {LABELS[top]}, ms: " for top in packages.top]


def check_answers(printed, packages):
    lines = [line for line in printed.splitlines() if line.strip(">")]
    assert len(lines) == len(packages.images), printed
    for line, start in zip(lines, expected(packages), strict=True):
        assert line.startswith(start), f"{line!r}, want {start!r}"
        assert re.fullmatch(r"\d+", line.removeprefix(start))


@pytest.fixture(scope="module")
def host_program(packages, tmp_path_factory):
    return sketch_program(HOST, arduino(packages, "portable"), tmp_path_factory.mktemp("sketch"))


def test_sketch_gives_the_right_class_on_the_host(packages, host_program):
    assert len(set(packages.top)) > 1, "the images must differ in class"
    check_answers(builds.ran(HOST, host_program, packages.images.tobytes()), packages)


@pytest.mark.parametrize(("platform", "family"), [(NANO33BLE, "dsp"), (SAMD, "portable")])
def test_sketch_gives_the_right_class_on_a_cortex_m(packages, tmp_path, platform, family):
    program = sketch_program(platform, arduino(packages, family), tmp_path)
    check_answers(builds.ran(platform, program, packages.images.tobytes()), packages)


def test_a_package_for_another_cpu_says_what_to_do(packages, tmp_path):
    source = arduino(packages, "dsp") / "src/engine/engine.cpp"
    with pytest.raises(AssertionError, match=r"make convert PACKAGE=\.\.\. KERNEL_FAMILY=portable"):
        builds.compiled(SAMD, [source], [arduino(packages, "dsp") / "src"], tmp_path)


@pytest.mark.parametrize(("platform", "family"), [(NANO33BLE, "dsp"), (SAMD, "portable")])
def test_platformio_tree_compiles_and_links(packages, tmp_path, platform, family):
    tree = packages.folders[family] / "platformio" / LIBRARY
    sources = sorted(path for path in (tree / "src").rglob("*") if path.suffix in (".c", ".cpp"))
    includes = [tree / "include", tree / "src"]
    objects = builds.compiled(platform, sources, includes, tmp_path / "library")
    example = [tree / "examples/rows_from_serial/src/main.cpp", platform.main]
    objects += builds.compiled(platform, example, [tree / "include", builds.STAND_IN], tmp_path / "example")
    program = builds.linked(platform, objects, tmp_path / "example.elf")
    check_answers(builds.ran(platform, program, packages.images.tobytes()), packages)


PUNNED = """
int punned(int* whole, float* real) {
  *whole = 1;
  *real = 2.0f;
  return *whole;
}
"""
CALLED = """
extern int punned(int* whole, float* real);
int main() {
  int place = 0;
  return punned(&place, reinterpret_cast<float*>(&place)) == 0x40000000 ? 0 : 1;
}
"""


@pytest.mark.parametrize("source", ["engine.cpp", "model.cpp"])  # for speed, for size: other pragmas
def test_sources_may_pun(packages, tmp_path, source):
    """What stands in front of a source lets one place hold an int and a float; without it, GCC says no."""
    text = (arduino(packages, "portable") / "src/engine" / source).read_text()
    front = text[: text.index('#include "engine/', text.index("squeeze_config.h"))]
    front = re.sub("^#include.*$", "", front, flags=re.M)
    (tmp_path / "main.cpp").write_text(CALLED)
    for name, code in (("with", front + PUNNED), ("without", PUNNED)):
        (tmp_path / f"{name}.cpp").write_text(code)
        program = tmp_path / name
        builds.call(["g++", "-O2", tmp_path / f"{name}.cpp", tmp_path / "main.cpp", "-o", program])
        assert subprocess.run([program], check=False).returncode == (name == "without")
    manifest = packages.folders["portable"] / "platformio" / LIBRARY / "library.json"
    assert json.loads(manifest.read_text())["build"]["flags"] == "-fno-strict-aliasing"


def test_layouts(packages):
    tree = arduino(packages, "dsp")
    assert {path.name for path in tree.iterdir()} == {
        "LICENSE", "examples", "extras", "library.properties", "model.json", "src",
    }  # fmt: skip
    properties = dict(line.split("=", 1) for line in (tree / "library.properties").read_text().splitlines())
    wanted = {"name", "version", "author", "maintainer", "sentence", "paragraph", "category", "url"}
    assert all(properties[key] for key in wanted | {"architectures"})
    assert properties["name"] == LIBRARY
    assert (tree / "src" / properties["includes"]).is_file()
    about = json.loads((tree / "model.json").read_text())
    assert about["engine_sha256"] in properties["paragraph"]
    assert about["tflite_sha256"] == packages.manifest["tflite_sha256"]
    assert builds.includes_exist(tree / "src", ["."]) == []
    tree = packages.folders["dsp"] / "platformio" / LIBRARY
    library = json.loads((tree / "library.json").read_text())
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", library["name"])
    assert (tree / "include" / library["headers"]).is_file()
    for example in library["examples"]:
        assert all((tree / example["base"] / name).is_file() for name in example["files"])
    assert builds.includes_exist(tree, ["include", "src"]) == []


def test_only_the_family_is_inside(packages):
    portable = {path.name for path in (arduino(packages, "portable") / "src").rglob("*.cpp")}
    dsp = {path.name for path in (arduino(packages, "dsp") / "src").rglob("*.cpp")}
    assert "winograd_blocks.cpp" in dsp - portable
    assert not list((arduino(packages, "portable") / "src/engine/dsp").glob("*.cpp"))
    assert not (arduino(packages, "dsp") / "src/engine/portable/mean_row.cpp").exists(), "dsp has its own"
    assert not list((arduino(packages, "dsp") / "src/engine/mve").glob("*.cpp"))


def test_zip_is_the_tree_and_the_same_again(packages, tmp_path):
    tree = arduino(packages, "portable")
    first = tree.with_name(f"{LIBRARY}.zip").read_bytes()
    with zipfile.ZipFile(tree.with_name(f"{LIBRARY}.zip")) as archive:
        names = archive.namelist()
        for name in names:
            assert archive.read(name) == (tree.parent / name).read_bytes()
    assert set(names) == {p.relative_to(tree.parent).as_posix() for p in tree.rglob("*") if p.is_file()}
    place = tmp_path / "again"
    stale = place / "arduino" / LIBRARY / "src" / "stale.cpp"
    stale.parent.mkdir(parents=True)
    stale.write_text("")
    packaging.write(packaging.make(["arduino"], packages.conversion, packages.manifest, Target()), place)
    assert (place / "arduino" / f"{LIBRARY}.zip").read_bytes() == first
    assert not stale.exists()
    assert {path.name for path in (place / "arduino").iterdir()} == {LIBRARY, f"{LIBRARY}.zip"}


def test_sender_talks_to_the_sketch(packages, host_program, tmp_path):
    """extras/send_picture.py over a pseudo terminal, with the sketch of the host at its other end."""
    from PIL import Image

    pictures = []
    for number, image in enumerate(packages.images[:2]):
        pictures.append(tmp_path / f"{number}.png")
        Image.fromarray(image).save(pictures[-1])
    ours, theirs = pty.openpty()
    board = subprocess.Popen([host_program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def forward(read, write):
        while data := read():
            write(data)

    def to_board(data):
        board.stdin.write(data)
        board.stdin.flush()

    threading.Thread(target=forward, args=(lambda: os.read(ours, 4096), to_board), daemon=True).start()
    threading.Thread(
        target=forward,
        args=(lambda: board.stdout.read1(4096), lambda data: os.write(ours, data)),
        daemon=True,
    ).start()
    try:
        sender = arduino(packages, "portable") / "extras/send_picture.py"
        said = builds.call([sys.executable, sender, os.ttyname(theirs), *pictures], timeout=60).stdout
    finally:
        board.kill()
        board.wait()
    for line, path, top in zip(said.splitlines(), pictures, packages.top, strict=False):
        assert line.startswith(f"{path}: {top} {LABELS[top]}, ms: ")
    assert len(said.splitlines()) == 2

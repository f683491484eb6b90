"""TensorFlow Lite Micro as the engine: the adapter, its link, the profile, and what is said when it fails."""

import argparse
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.litert import Reference
from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.outputs import artefacts, tflm_arena, tflm_only
from squeezenet_mcu.convert.outputs.tflm_operators import RESOLVER_METHODS
from squeezenet_mcu.convert.verify import exactness
from squeezenet_mcu.host_tools.bench import measure, measure_tflm, results, small_net
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.emulate import emulator, simulate
from squeezenet_mcu.host_tools.firmware import build, flash, tflm_library
from squeezenet_mcu.host_tools.firmware.board_model import ModelRequest, folder_for
from squeezenet_mcu.host_tools.link.device import Device
from tests.convert.outputs import tflm_nets
from tests.firmware import tflm_wheel

HERE = Path(__file__).resolve().parent
MODEL = "small"
FLAGS = ["-std=c++17", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-fno-exceptions", "-fno-rtti",
         "-fno-threadsafe-statics", "-DNDEBUG", "-DTF_LITE_STRIP_ERROR_STRINGS",
         f"-D{tflm_wheel.DEFINITIONS}"]  # fmt: skip
COUNTED = {"mps2_an386": 25e3, "rp2040": 125e3}  # boards whose cycles are known: so many in a millisecond
ADAPTER = board_toml.FIRMWARE / "tflm" / "tflm_inference.cc"
# Those of the wheel's version take a little more than the tflite-micro wheel's, by which it is measured.
ARENA = 1 << 17


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return tflm_wheel.unpack(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with the small network converted in build/, and its manifest."""
    folder = tmp_path_factory.mktemp("project")
    source = folder / "build" / MODEL
    source.mkdir(parents=True)
    conversion = artefacts.convert(tflite_file.parse(small_net.tflite()), MODEL, [], "unit")
    manifest = artefacts.describe(conversion, artefacts.Origin({}, ""), None)
    artefacts.write(conversion, source, manifest)
    return folder, manifest


@pytest.fixture(autouse=True)
def in_project(request, monkeypatch):
    if "project" in request.fixturenames:
        monkeypatch.chdir(request.getfixturevalue("project")[0])


@pytest.fixture(scope="module")
def images():
    return np.stack(exactness.sample_images((32, 32, 3), 6))


def include(wheel, source):
    folders = [flag for folder in wheel.include for flag in ("-isystem", folder)]
    return [*folders, f"-I{board_toml.FIRMWARE}", f"-I{source}"]


# As TFLM's own builds are. The wheel's kernel_util.h then names a field that is not there, in a function that
# nothing calls: any other field will do.
STATIC_MEMORY = ["-DTF_LITE_STATIC_MEMORY", "-Dallocation_type=type", "-Wno-enum-compare"]


@pytest.mark.parametrize("memory", [[], STATIC_MEMORY], ids=["plain", "static_memory"])
def test_the_adapter_compiles_against_the_public_headers(wheel, project, memory):
    """For the Cortex-M55; for the M4 it is compiled, and linked, below."""
    flags = [*board_toml.load("mps3_an547").cpu_flags, *FLAGS, *memory, *include(wheel, Path("build", MODEL))]
    done = subprocess.run(
        ["arm-none-eabi-g++", *flags, "-fsyntax-only", ADAPTER], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def check_on_the_host(wheel, source, manifest, images, tmp_path):
    """With the wheel's own TFLM: arena, operators in the file's order, logits, probabilities."""
    subprocess.run(["gcc", "-c", source / "model_tflite.c", "-o", tmp_path / "model.o"], check=True)
    subprocess.run(
        ["g++", "-O0", *FLAGS, f"-DTFLM_ARENA_BYTES={ARENA}", *include(wheel, source), ADAPTER,
         HERE / "tflm_host.cc", tmp_path / "model.o", wheel.library, f"-Wl,-rpath,{wheel.library.parent}",
         "-o", tmp_path / "program"],
        check=True,
    )  # fmt: skip
    out = subprocess.run(
        [tmp_path / "program"], input=images.tobytes(), stdout=subprocess.PIPE, check=True
    ).stdout
    status, arena, operators = np.frombuffer(out[:12], np.uint32)
    file = tflite_file.read(source / "model.tflite")
    assert (status, operators) == (0, len(file.ops))
    assert (
        abs(int(arena) - manifest["tflm_arena_bytes"]) < 4096
    )  # another version than the one it is measured by
    assert out[12:44].hex() == manifest["tflite_sha256"]
    marks = bytes(mark for i in range(operators) for mark in (i, i | 0x80))
    answers = np.frombuffer(out[44:], np.int8).reshape(len(images), -1)
    reference = Reference.of(manifest, file.content)
    for image, answer in zip(images, answers, strict=True):
        assert answer[: len(marks)].tobytes() == marks
        logits, probabilities = reference.infer(image, manifest["output"]["logits_tensor"])
        assert np.array_equal(answer[len(marks) :], np.concatenate([logits, probabilities]))


def test_the_adapter_around_the_real_interpreter_answers_as_litert(wheel, project, images, tmp_path):
    check_on_the_host(wheel, Path("build", MODEL), project[1], images, tmp_path)


def test_a_network_that_our_engine_refuses_runs_all_the_same(wheel, tmp_path):
    """`convert --engine tflm`: its artefacts alone, in the same adapter."""
    source = tmp_path / "build" / "dense"
    model = tflm_only.check(tflite_file.parse(tflm_nets.dense_tflite()))
    manifest = tflm_only.write(model, "dense", [], "unit", artefacts.Origin({}, ""), source)
    images = np.stack(exactness.sample_images(model.image.hwc, 6))
    check_on_the_host(wheel, source, manifest, images, tmp_path)


def test_the_resolver_has_the_methods_that_convert_names(wheel):
    """Four operators came after the wheel's version; a method that is spelt wrong would be a fifth."""
    header = wheel.include[0] / "tensorflow" / "lite" / "micro" / "micro_mutable_op_resolver.h"
    there = set(re.findall(r"TfLiteStatus (Add\w+)\(", header.read_text(encoding="utf-8")))
    newer = {"AddDynamicUpdateSlice", "AddReduceAll", "AddReduceMin", "AddReverseV2"}
    assert set(RESOLVER_METHODS.values()) - there == newer


def standin(wheel, board, folder, *more):
    """The stand-in library for a board, as an archive. `more`: flags of the compiler."""
    library = folder / "libtensorflow-microlite.a"
    flags = [*board_toml.load(board).cpu_flags, *FLAGS, "-ffunction-sections", *more]
    flags += include(wheel, Path("build", MODEL))
    command = ["arm-none-eabi-g++", "-Os", *flags, "-Wno-conversion", "-c", HERE / "standin_tflm.cc"]
    subprocess.run([*command, "-o", folder / "standin.o"], check=True)
    subprocess.run(["arm-none-eabi-ar", "rcs", library, folder / "standin.o"], check=True)
    return library


def formula(image, operator):
    """What standin_tflm.cc says operator `operator` gives."""
    return (np.arange(10) + image.astype(int).sum() + 7 * operator).astype(np.int8)


@pytest.fixture
def vendors_headers(monkeypatch):
    """The build takes the wheel's headers for what they are."""
    plain = tflm_library.cmake_options
    monkeypatch.setattr(
        tflm_library, "cmake_options",
        lambda *given: plain(*given) | {"TFLM_DEFINITIONS": tflm_wheel.DEFINITIONS},
    )  # fmt: skip


class Formula:
    """In place of LiteRT: what the stand-in's answers are to be compared with."""

    def __init__(self, operators):
        self.operators = operators

    def infer(self, image, _):
        return formula(image, self.operators - 2), formula(image, self.operators - 1)


def check_on(board, wheel, images, folder, monkeypatch):
    """Profile and firmware around the stand-in, in the emulator; the result, as for results.json."""
    library = tflm_library.TflmLibrary(wheel.include, standin(wheel, board, folder), ARENA)
    file = tflite_file.read(Path("build", MODEL, "model.tflite"))
    wanted = Formula(len(file.ops))
    monkeypatch.setattr(measure_tflm.Reference, "of", lambda *_: wanted)
    result = measure_tflm.record(MODEL, board, library)
    assert result["engine"] == "tflm"
    assert result["arena_bytes"] == images[0].size, "what the library says it uses"
    assert [row["kernel"] for row in result["layers"]] == [op.name for op in file.ops]
    total = sum(row["instructions"] for row in result["layers"])
    assert 0.9 * result["instructions"] < total <= result["instructions"]
    if board in COUNTED:  # by the same tables as our engine
        assert result["instructions"] < result["cycles"] < 2.5 * result["instructions"]
        assert 0.9 * result["cycles"] < sum(row["cycles"] for row in result["layers"]) <= result["cycles"]
        assert result["milliseconds"] == pytest.approx(result["cycles"] / COUNTED[board], abs=1e-3)
        assert any("Invoke" in function["function"] for function in result["functions"])
    else:
        assert (result["cycles"], result["milliseconds"]) == (None, None)
    assert 0 < result["engine_code_bytes"] < result["code_bytes"]
    elf = Path("build", "bench", MODEL, f"{board}-tflm", "cmake", "firmware.elf")
    with emulator.running(board, elf) as url, Device(url, 120.0, open_timeout=60.0) as device:
        assert device.info.arena_bytes == images[0].size
        assert device.info.model_sha256 == files.sha256(file.content)
        for image in images[:2]:
            answer = device.infer(image)
            logits, probabilities = wanted.infer(image, None)
            assert np.array_equal(answer.logits, logits)
            assert np.array_equal(answer.probabilities, probabilities)
            assert 0 < answer.stack_high_water < 4096
    used = build.usage(elf)
    assert used.stack_reserve == 8192
    assert used.sram_static > ARENA
    return result


@pytest.mark.long
@pytest.mark.parametrize("cmsis_nn", [True, False])
def test_kernels_for_int8_alone_where_the_library_has_them(
    wheel, project, images, tmp_path, vendors_headers, cmsis_nn
):
    """The plain registrations would link CMSIS-NN's int4 and int16 paths, which an int8 model never runs."""
    more = ["-DCMSIS_NN"] if cmsis_nn else []
    library = tflm_library.TflmLibrary(wheel.include, standin(wheel, "mps2_an386", tmp_path, *more), ARENA)
    elf = build.build("mps2_an386", MODEL, ModelRequest(tflm=library))
    listing = subprocess.run(["arm-none-eabi-nm", "-C", elf], check=True, capture_output=True, text=True)
    linked = set(re.findall(r"Register_(\w+)\(\)", listing.stdout))
    plain = {"CONV_2D", "MAX_POOL_2D", "SOFTMAX"}
    int8 = {f"{name}_INT8" for name in plain}
    assert linked & (plain | int8) == (int8 if cmsis_nn else plain)
    with emulator.running("mps2_an386", elf) as url, Device(url) as device:
        answer = device.infer(images[0])
    operators = len(tflite_file.read(Path("build", MODEL, "model.tflite")).ops)
    assert np.array_equal(answer.logits, formula(images[0], operators - 2))


@pytest.mark.long
def test_firmware_and_profile_around_a_library(
    wheel, project, images, tmp_path, vendors_headers, monkeypatch, capsys
):
    """Link (a global constructor, libm, virtual destructors, no log), rows, answers, a count an operator."""
    result = check_on("mps2_an386", wheel, images, tmp_path, monkeypatch)
    console = Console(width=100)
    results.show(console, [result])
    results.show_memory(console, [result])
    results.show_layers(console, result)
    shown = capsys.readouterr().out
    assert "small/mps2_an386/tflm" in shown
    assert "MAX_POOL_2D" in shown
    assert f"{result['milliseconds']:,.1f}" in shown
    monkeypatch.setattr(measure_tflm.Reference, "of", lambda *_: Formula(3))
    built = Path("build", "bench", MODEL, "mps2_an386-tflm", "cmake", "bench.elf")
    monkeypatch.setattr(measure_tflm, "build", lambda *_: (built, built))
    with pytest.raises(measure.NotExactError, match="NOT exact: CRC-32 of the logits"):
        measure_tflm.record(MODEL, "mps2_an386", tflm_library.TflmLibrary((), built))


@pytest.mark.long
@pytest.mark.parametrize("board", ["mps2_an500", "mps3_an547", "rp2040"])
def test_other_cores(wheel, project, images, tmp_path, vendors_headers, monkeypatch, board):
    check_on(board, wheel, images, tmp_path, monkeypatch)


@pytest.mark.long
def test_too_small_and_too_large_an_arena(wheel, project, images, tmp_path, vendors_headers):
    library = standin(wheel, "stm32f405", tmp_path)
    small = tflm_library.TflmLibrary(wheel.include, library, images[0].size - 16)
    elf = build.build("stm32f405", MODEL, ModelRequest(tflm=small))
    assert elf.parent == folder_for(Path("build", MODEL), "stm32f405", "tflm")
    assert elf.with_suffix(".bin").is_file()
    with (
        emulator.running("stm32f405", elf) as url,
        Device(url) as device,
        pytest.raises(UserError, match=r"status 65.*TFLM_ARENA_BYTES="),
    ):
        device.infer(images[0])
    large = tflm_library.TflmLibrary(wheel.include, library, 150_000)
    wanted = r"small with TFLite Micro does not fit stm32f405: [\d,]+ bytes too many in SRAM, .* 150,000"
    with pytest.raises(UserError, match=wanted):
        build.build("stm32f405", MODEL, ModelRequest(tflm=large))
    assert not elf.exists()


def test_macs_of_the_operators_are_the_networks(project):
    file = tflite_file.read(Path("build", MODEL, "model.tflite"))
    assert sum(tflm_arena.macs(file, op) for op in file.ops) == project[1]["macs"]
    with pytest.raises(UserError, match=r"operators, the board counted 1"):
        measure_tflm.layers(file, measure.Measured("instructions", 1, 5, [5], 0, 0, 0))


def request(*options):
    parser = argparse.ArgumentParser()
    build.add_arguments(parser)
    return build.request_of(parser.parse_args(options))


def test_options(tmp_path):
    assert request().tflm is None
    for options, wanted in (
        (["--tflm-lib", "x.a"], "add --engine tflm"),
        (["--engine", "tflm"], "no --tflm-include"),
        (["--engine", "tflm", "--tflm-include", "a"], "no --tflm-lib"),
        (
            ["--engine", "tflm", "--tflm-include", "a", "--tflm-lib", "b", "--optimize", "sram"],
            "takes no",
        ),
    ):
        with pytest.raises(UserError, match=wanted):
            request(*options)
    words = ["--engine", "tflm", "--tflm-include", f"{tmp_path}:b:", "--tflm-lib", "c.a"]
    with pytest.raises(SystemExit):
        request(*words, "--tflm-arena-bytes", "0")
    given = request(*words, "--tflm-arena-bytes", "20K").tflm
    assert given.arena_bytes == 20 * 1024
    assert given.include == (tmp_path, Path("b").resolve())
    assert given.file == Path("c.a").resolve()


def test_arena_leaves_room_for_scratch_memory_unless_it_is_given():
    source, manifest = Path("build", "digits"), {"tflm_arena_bytes": 26816}
    given = tflm_library.TflmLibrary((), Path("x.a"), 20000)
    plain = tflm_library.TflmLibrary((), Path("x.a"))
    assert tflm_library.arena_bytes(given, manifest, source) == 20000
    assert tflm_library.arena_bytes(plain, manifest, source) == 26816 + tflm_library.SCRATCH_BYTES
    with pytest.raises(UserError, match=r"digits/manifest.json: no arena .*TFLM_ARENA_BYTES="):
        tflm_library.arena_bytes(plain, {"tflm_arena_bytes": None}, source)


def an_archive(folder, *flags):
    source = folder / "code.c"
    source.write_text("float twice(float x) { return 2 * x; }\ndouble thrice(double x) { return 3 * x; }\n")
    subprocess.run(["arm-none-eabi-gcc", *flags, "-c", source, "-o", folder / "code.o"], check=True)
    library = folder / "lib.a"
    library.unlink(missing_ok=True)
    subprocess.run(["arm-none-eabi-ar", "rcs", library, folder / "code.o"], check=True)
    return library


def test_a_library_that_does_not_suit_the_board(tmp_path):
    headers = tmp_path / "tensorflow" / "lite" / "micro"
    headers.mkdir(parents=True)
    (tmp_path / "text.a").write_text("no archive")

    def says(board, library, match):
        with pytest.raises(UserError, match=match) as raised:
            tflm_library.check(tflm_library.TflmLibrary((tmp_path,), library), board_toml.load(board))
        assert "\n" not in str(raised.value)

    says("riscv_virt", tmp_path / "text.a", "for boards with a Cortex-M; the compiler for riscv_virt")
    says("stm32f405", tmp_path / "text.a", "micro_interpreter.h is in none.*root of tflite-micro")
    (headers / "micro_interpreter.h").touch()
    says("stm32f405", tmp_path / "none.a", "no such file")
    says("stm32f405", tmp_path / "text.a", "does not begin as a library does")
    m55 = an_archive(tmp_path, "-mcpu=cortex-m55", "-mfloat-abi=hard")
    says("stm32f405", m55, r"built for Armv8\.1-M\.mainline.*stm32f405 has Armv7E-M with VFPv4")
    m7 = an_archive(tmp_path, "-mcpu=cortex-m7", "-mfpu=fpv5-d16", "-mfloat-abi=hard")
    says("stm32f405", m7, "double precision")
    m4 = an_archive(tmp_path, "-mcpu=cortex-m4", "-mfpu=fpv4-sp-d16", "-mfloat-abi=hard")
    for board in ("stm32f405", "mps2_an500", "mps3_an547"):
        tflm_library.check(tflm_library.TflmLibrary((tmp_path,), m4), board_toml.load(board))
    soft = an_archive(tmp_path, "-mcpu=cortex-m4", "-mfloat-abi=soft")
    says("stm32f405", soft, "soft float ABI; stm32f405 has .*hard float ABI")


@pytest.mark.parametrize(
    ("printed", "wanted"),
    [
        ("x.h:1:2: fatal error: fixedpoint/fixedpoint.h: No such file or directory", "gemmlowp in it"),
        ("x.h:1:2: fatal error: other.h: No such file or directory", "other.h is in none of its folders"),
        ("ld: a.o: uses VFP register arguments, b does not", "another float ABI"),
        ("ld: x.o: undefined reference to `tflite::Register_ADD()'", r"tflite::Register_ADD\(\) is in no"),
        ('a.cc:25:2: error: #error "model_settings.h is of an older version: convert"', "older version"),
    ],
)
def test_what_the_link_says(printed, wanted):
    assert re.search(wanted, tflm_library.explain(printed))
    assert tflm_library.explain("something else") is None


def test_the_documents_name_each_boards_target_arch():
    """docs/tflm.md's table: every board with a Cortex-M, with the CPU and float ABI of its board.toml."""
    text = (board_toml.FIRMWARE.parent / "docs" / "tflm.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([\w, ]+) \([^)]*\) \| `([\w+-]+)` \| (hard|soft) \|$", text, re.MULTILINE)
    named = {board: (arch, abi) for group, arch, abi in rows for board in group.split(", ")}
    cortex = [name for name in board_toml.names() if board_toml.load(name).architecture == "cortex_m"]
    assert sorted(named) == sorted(cortex)
    for board, (arch, abi) in named.items():
        flags = board_toml.load(board).cpu_flags
        assert f"-mcpu={arch.removesuffix('+fp')}" in flags
        assert ("-mfloat-abi=hard" in flags) == (abi == "hard")


def test_what_to_type_next_names_the_engine():
    for verb in (flash, simulate):
        parser = argparse.ArgumentParser()
        verb.add_arguments(parser)
        given = parser.parse_args(["--engine", "tflm", "--tflm-include", "a", "--tflm-lib", "b"])
        assert tflm_library.make_option(given.engine) == " ENGINE=tflm"
        assert tflm_library.make_option(parser.parse_args([]).engine) == ""
        with pytest.raises(SystemExit):
            parser.parse_args(["--layers"])  # of `firmware` alone, which prints them

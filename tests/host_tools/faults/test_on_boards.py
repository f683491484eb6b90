"""A firmware that faults on purpose, on each emulated CPU: `validate` says where and why, and goes on."""

import json
import shutil
import time

import numpy as np
import pytest

from squeezenet_mcu.common import cli
from squeezenet_mcu.host_tools.emulate import emulator
from squeezenet_mcu.host_tools.faults import where
from squeezenet_mcu.host_tools.firmware import build_id
from squeezenet_mcu.host_tools.link.device import Device
from squeezenet_mcu.host_tools.link.errors import FaultError, LinkTimeoutError
from squeezenet_mcu.host_tools.validate import command as validate
from tests.host_tools.faults import faulty
from tests.manifests import engine_record

# A board of each CPU that is emulated: M4, M0+, M7, M33, M55, RISC-V.
BOARDS = ("stm32f405", "rp2040", "mps2_an500", "mps2_an505", "mps3_an547", "riscv_virt")
QUICK = ("stm32f405",)
EACH = [b if b in QUICK else pytest.param(b, marks=pytest.mark.long) for b in BOARDS]
TRAP = "app::Trap()"
FUNCTIONS = {
    "t": TRAP,
    "b": "app::StoreNowhere()",
    "u": "app::LoadUnaligned()",
    "s": "app::GoDeeper(",
}
# What does not fault there: QEMU's RISC-V loads unaligned words, its AN547 takes stores to anywhere.
SOUND = {("riscv_virt", "u"), ("mps3_an547", "b")}


def causes(board: str, kind: str) -> str:
    if board == "rp2040" and kind in "bu":
        return "illegal instruction, unaligned access or bus error"
    trap = (
        "breakpoint: __builtin_trap()" if board == "riscv_virt" else "illegal instruction: __builtin_trap()"
    )
    store = "bus error: a store to 0xa5000000" if board == "riscv_virt" else "bus error at 0xa5000000"
    return {"t": trap, "b": store, "u": "unaligned access", "s": "stack overflow"}[kind]


@pytest.fixture(params=EACH)
def machine(request):
    """The board's name, its ELF, and the URL of its UART, which lives through restarts."""
    elf = faulty.elf(request.param)
    with emulator.running(request.param, elf) as url:
        yield request.param, elf, url


def test_each_fault_is_named_and_the_board_answers_again(machine):
    board, elf, url = machine
    faults = 0
    right = None
    for kind, function in FUNCTIONS.items():
        with Device(url, open_timeout=30.0) as device:  # an emulated Pico boots slowly on a busy machine
            assert device.info.build_id == build_id.of_elf(elf)
            assert device.info.reset_cause == ("fault" if faults else device.info.reset_cause)
            assert (device.fault_before.number if device.fault_before else 0) == faults
            answer = device.infer(faulty.image()).logits.tolist()
            right = right or answer
            assert answer == right
            if (board, kind) in SOUND:
                device.infer(faulty.image(kind))
                continue
            begun = time.monotonic()
            with pytest.raises(FaultError) as caught:
                device.infer(faulty.image(kind))
            assert time.monotonic() - begun < 2
        said = str(where.explained(caught.value, elf))
        assert function in said
        assert causes(board, kind) in said
        faults += 1
    assert faults >= 3


def test_the_engine_model_is_named_by_its_own_hash(machine):
    _, _, url = machine
    with Device(url, open_timeout=30.0) as device:
        assert device.info.engine_sha256 == faulty.sha256(faulty.network().content)


# `validate` itself


@pytest.fixture
def project(tmp_path, monkeypatch):
    """build/faulty/, with the firmware for each board that is asked for."""
    made = faulty.network()
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "build" / "faulty"
    folder.mkdir(parents=True)
    (folder / "model.tflite").write_bytes(made.tflite)
    (folder / "manifest.json").write_text(json.dumps(made.manifest))

    def with_firmware(board: str):
        place = folder / "firmware" / board / "firmware.elf"
        place.parent.mkdir(parents=True)
        shutil.copyfile(faulty.elf(board), place)
        return place

    return with_firmware


def run(*options: str) -> int:
    arguments = ["validate", "--model", "faulty", "--limit", "9", *options]
    return cli.main("python -m host_tools", "test", [validate], arguments)


def images(path, *kinds: str):
    """An .npz of the images that ask for these faults, one of each class at least."""
    kinds = (*kinds, *("",) * (faulty.CLASSES - len(kinds)))
    pixels = np.stack([faulty.image(kind) for kind in kinds]).astype(np.int16) + 128
    x, y = pixels.astype(np.uint8), np.arange(len(kinds)) % faulty.CLASSES
    np.savez(path, x_train=x, y_train=y, x_test=x, y_test=y)
    return path


@pytest.mark.parametrize("board", EACH)
def test_validate_ends_at_once_with_the_function_s_name(project, board, tmp_path, capsys, monkeypatch):
    place = project(board)
    data = images(tmp_path / "faults.npz", "", "t", "")
    with emulator.running(board, place) as url:
        infer, begun = Device.infer_many, []
        monkeypatch.setattr(
            Device, "infer_many", lambda *args: begun.append(time.monotonic()) or infer(*args)
        )
        assert run("--port", url, "--data", str(data)) == 1
        spent = time.monotonic() - begun[-1]
        out, err = capsys.readouterr()
        assert f"the firmware faulted in {TRAP} (0x" in err
        assert causes(board, "t") in err
        assert err.count("\n") == 1
        assert "note: registers: exception=" in out
        assert spent < 2
        # It has restarted, and says why; what it answers is right.
        good = images(tmp_path / "good.npz", "", "")
        assert run("--port", url, "--data", str(good)) == 0
        out, err = capsys.readouterr()
        assert (
            f"note: {board}: it has restarted after a fault in {FUNCTIONS['t']}: {causes(board, 't')}" in out
        )
        assert "validate: exact" in out


def test_validate_says_when_the_engine_model_is_another_build_s(project, tmp_path, capsys):
    board = QUICK[0]
    place = project(board)
    made = place.parent / "model" / "engine.json"
    made.parent.mkdir()
    data = str(images(tmp_path / "good.npz", ""))
    with emulator.running(board, place) as url:
        for sha, said in ((faulty.sha256(faulty.network().content), False), ("e" * 64, True)):
            made.write_text(json.dumps(engine_record(engine_sha256=sha)))
            assert run("--port", url, "--data", data, "--json", "report.json") == 0
            assert ("note: the device's engine model is " in capsys.readouterr().out) is said
            report = json.loads((tmp_path / "report.json").read_text())
            assert report["engine_sha256"] == faulty.sha256(faulty.network().content)
            assert report["build_id"] == build_id.of_elf(place)


@pytest.mark.long
def test_a_firmware_that_hangs_is_restarted_by_its_watchdog():
    """The Pico's, which its emulator has: the program's second, then the chip's eight."""
    with emulator.running("rp2040", faulty.elf("rp2040")) as url:
        with Device(url, open_timeout=30.0) as device:
            assert device.info.reset_cause == "unknown"
            right = device.infer(faulty.image()).logits.tolist()
        with Device(url, timeout=2.0, open_timeout=30.0) as device, pytest.raises(LinkTimeoutError):
            device.infer(faulty.image("h"))
        with Device(url, timeout=60.0, open_timeout=60.0) as device:
            assert device.info.reset_cause == "watchdog"
            assert device.infer(faulty.image()).logits.tolist() == right

"""The firmware that runs is found by its build id, a function by its ELF; damaged ones name nothing."""

import pytest

from squeezenet_mcu.host_tools.cycles import symbols
from squeezenet_mcu.host_tools.faults import where
from squeezenet_mcu.host_tools.firmware import build_id
from squeezenet_mcu.host_tools.link.errors import FaultError
from squeezenet_mcu.host_tools.link.faults import Fault

NOTE = b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0"
FAULT = Fault("ARMv6-M", 3, 0x1000, 0x2001, 0x20000700, False)


def elf(path, id_bytes: bytes):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x7fELF" + bytes(60) + NOTE + id_bytes)
    return path


def test_the_firmware_is_found_by_its_build_id(tmp_path):
    for model, board, first in (("digits", "rp2040", 1), ("digits", "stm32f405", 2), ("gtsrb", "rp2040", 3)):
        elf(tmp_path / model / "firmware" / board / "firmware.elf", bytes([first]) * 20)
    found = build_id.find("03" * 8, tmp_path)
    assert found == tmp_path / "gtsrb" / "firmware" / "rp2040" / "firmware.elf"
    assert build_id.find("04" * 8, tmp_path) is None


@pytest.mark.parametrize("content", [b"", NOTE, NOTE + b"\1" * 7, b"no note"])
def test_a_file_without_an_id_has_none(tmp_path, content):
    path = tmp_path / "x.elf"
    path.write_bytes(content)
    assert build_id.of_elf(path) is None
    assert build_id.of_elf(tmp_path / "none.elf") is None
    assert build_id.of_elf(tmp_path) is None


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"\x7fELF" + b"\xff" * 200, b"\x7fELF" + bytes(200)])
def test_a_damaged_elf_names_nothing_and_the_address_stays(tmp_path, content):
    path = tmp_path / "x.elf"
    path.write_bytes(content)
    said = str(where.explained(FaultError("board", FAULT), path))
    assert said.startswith(
        "board: the firmware faulted at 0x00001000: illegal instruction, unaligned access or"
    )
    assert where.explained(FaultError("board", FAULT), tmp_path / "none.elf").fault == FAULT


@pytest.mark.parametrize(
    ("pc", "lr", "wanted"),
    [
        (0x105, 0x203, "one"),
        (0x214, 0, "by hand"),  # no size: up to the next one
        (0xFFFFFFFE, 0x105, "one or what it calls"),  # a damaged pointer was called
        (0x20000000, 0x20000001, ""),
        (0x150, 0xFFFFFFF9, ""),  # between two; an exception's return
        (0x400, 0, ""),
        (0x500, 0, ""),
        (None, 0x105, "one or what it calls"),
        (0x150, None, ""),
    ],
)
def test_an_address_outside_the_code_is_in_no_function(tmp_path, monkeypatch, pc, lr, wanted):
    starts, names = [0x100, 0x210, 0x220, 0x400, 0x600], ["one", "by hand", "two", "linker_code_end", "last"]
    functions = symbols.Functions(starts, names, [0x20, 0, 0x10, 0, 0])
    monkeypatch.setattr(symbols, "read_elf", lambda elf: functions)
    assert where.function(Fault("ARMv7-M", 3, pc, lr, 0, False), tmp_path / "x.elf") == wanted

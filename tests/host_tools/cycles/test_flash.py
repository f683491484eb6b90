"""The flash that the plugin follows: which lines a program needs is known beforehand."""

import dataclasses
import subprocess
from pathlib import Path

import msgspec
import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.boards.board_toml import Clock, FlashTiming, Memory
from squeezenet_mcu.host_tools.cycles import counts, cpus, plugin, price, symbols

HERE = Path(__file__).parent / "ten_functions"
LINES, DATA_LINES = 64, 8
FLASH = FlashTiming(wait_states=5, line_bytes=16, code_lines=LINES, data_lines=DATA_LINES, source="a test")


@pytest.fixture(scope="module")
def counted(tmp_path_factory):
    """{mark: (blocks)} of flash.S on a board whose flash is where its code stands."""
    elf = tmp_path_factory.mktemp("flash") / "flash.elf"
    link = ("-nostdlib", "-T", HERE / "memory.ld", HERE / "flash.S", "-o", elf)
    subprocess.run(["arm-none-eabi-gcc", "-mcpu=cortex-m0plus", "-mthumb", *link], check=True)
    board = dataclasses.replace(
        board_toml.load("stm32f405"),
        memories=(Memory("SRAM", "image", 0x20000000, 1 << 14),),
        clock=Clock(168_000_000, FLASH),
    )
    machine = ("-M", "microbit", "-display", "none", "-monitor", "none", "-serial", "none")
    with plugin.counting(symbols.read(board, elf).marks(), board) as counting:
        command = ["qemu-system-arm", *machine, "-semihosting", "-icount", "shift=0", "-kernel", str(elf)]
        subprocess.run([*command, *counting.arguments], check=True, timeout=60, stdin=subprocess.DEVNULL)
        return counting.blocks()


def lines(blocks, mark):
    """(lines of code, lines of data) that were read."""
    chosen = [block for block in blocks if block.mark == mark]
    return sum(b.jumped + b.next for b in chosen), sum(b.data for b in chosen)


def test_code_that_fits_is_read_once(counted):
    first, again = lines(counted, 1)[0], lines(counted, 2)[0]
    assert 31 <= first <= 34  # 31 of Small, some of what calls it
    assert again <= 2


def test_code_that_does_not_fit_is_read_again(counted):
    """The line that was used longest ago goes: of 128 lines in turn, none of the 64 is there when wanted."""
    assert 128 <= lines(counted, 3)[0] <= 131
    assert 128 <= lines(counted, 4)[0] <= 131


def test_data_is_read_by_lines(counted):
    assert lines(counted, 5)[1] in (4, 5)  # 64 bytes twice, and the address's own word
    assert lines(counted, 6)[1] in (0, 1)
    assert 60 <= lines(counted, 7)[1] <= 65  # 32 lines, twice, but for those that were there


def test_waits_are_priced(counted):
    """A line behind another one is fetched while that runs: 8 NOPs in 6 cycles of 5 wait states."""
    timing = cpus.TIMINGS["Cortex-M0+"]
    spent = price.by(counted, timing, lambda block: block.mark, FLASH)
    assert 0 < spent[4].waits <= 5 * 5
    assert spent[7].waits >= 60 * 5
    slow = msgspec.structs.replace(FLASH, wait_states=9)
    assert price.by(counted, timing, lambda block: block.mark, slow)[4].waits >= 127 * (9 + 1 - 8)
    assert price.by(counted, timing, lambda block: block.mark)[7].waits == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "left no counts"),
        ("", "end early"),
        ("0 4 1 1 0 0 0 0 0 00bf\n", "end early"),
        ("0 4 1\nend\n", "3 fields in a line, want 10"),
    ],
)
def test_counts_that_are_not_there(tmp_path, content, said):
    path = tmp_path / "counts"
    if content is not None:
        path.write_text(content)
    with pytest.raises(UserError, match=said):
        counts.read(path)


def test_the_plugin_wants_sound_options(tmp_path):
    command = ["qemu-system-arm", "-M", "microbit", "-display", "none", "-plugin"]
    for words, said in (
        ("count=0,out=x", "want out=FILE, and count=N"),
        ("out=x,flash=0,bytes=64,line=16", "want line=, code_lines= and data_lines="),
        ("out=x,nonsense=1", "unknown option nonsense=1"),
    ):
        done = subprocess.run(
            [*command, f"{plugin.build()},{words}"], capture_output=True, text=True, check=False, cwd=tmp_path
        )
        assert done.returncode != 0
        assert said in done.stderr

"""Assembles sequences of Thumb instructions for a CPU, many at once."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from squeezenet_mcu.host_tools.cycles import decode
from squeezenet_mcu.host_tools.cycles.decode import Instruction

_BETWEEN = "bkpt"


def assembled(folder: Path, cpu: str, texts: Sequence[str], address: int = 0) -> list[list[Instruction]]:
    """The instructions of each text (";" between them, 1b: its first), decoded at `address` and behind."""
    fpu = ".fpu fpv4-sp-d16\n" if cpu == "cortex-m4" else ""
    lines = "".join(f"1:{text}\n{_BETWEEN} #0\n" for text in texts).replace(";", "\n")
    source, made, code = (folder / f"sequences.{kind}" for kind in ("s", "o", "bin"))
    source.write_text(f".syntax unified\n.cpu {cpu}\n{fpu}.thumb\n{lines}")
    subprocess.run(["arm-none-eabi-as", str(source), "-o", str(made)], check=True)
    subprocess.run(["arm-none-eabi-objcopy", "-O", "binary", "-j", ".text", str(made), str(code)], check=True)
    found: list[list[Instruction]] = [[]]
    for instruction in decode.instructions(code.read_bytes(), address):
        if instruction.name == _BETWEEN:
            found.append([])
        else:
            found[-1].append(instruction)
    return found[:-1]

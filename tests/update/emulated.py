"""mps2_an386 with firmware that takes new models, its flash in a file, and an emulator that can be killed."""

import contextlib
import functools
import json
import mmap
import os
import shutil
import signal
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from squeezenet_mcu.common.paths import ZOO
from squeezenet_mcu.convert.target import Target
from squeezenet_mcu.convert.verify.host_engine import HostEngine
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.emulate import emulator, nor
from squeezenet_mcu.host_tools.firmware import build
from squeezenet_mcu.host_tools.link.device import Device
from squeezenet_mcu.host_tools.link.transport import SerialTransport
from tests.update import tuned

BOARD = "mps2_an386"
_POWER_AT = 15 << 20  # as boards/flash/nor_in_ram.cc has it: magic, stop_at, restarts, operations
_MAGIC = 0x52574F50
_POWER = struct.Struct("<4I")


@functools.cache
def target() -> Target:
    """What the board's engine models are made for: its kernels, whatever its memory."""
    return Target(family=board_toml.load(BOARD).kernel_family)


def model(layers: int = 0, seed: int = 0, counter: int = 1) -> tuned.Model:
    """As tuned.digits, for the board."""
    return tuned.digits(layers, seed, counter, target())


def firmware(folder: Path, key: str = "") -> Path:
    """Builds the firmware with digits linked in, in `folder`; its ELF."""
    tuned.write_sources(model(), folder / "model")
    options = {
        "MODEL_DIR": str(folder / "model"),
        "SQUEEZE_FAMILY": target().family,
        "UPDATE": "ON",
        "SQUEEZE_KERNELS": ";".join(tuned.kernels_of(model())),
    }
    if key:
        from squeezenet_mcu.host_tools.signing import monocypher

        options |= {"UPDATE_KEY": key, "MONOCYPHER_DIR": str(monocypher.sources().resolve())}
    return build.compile_target(board_toml.load(BOARD), folder, "firmware", options)


class Flash:
    """The file that is the board's flash."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def copy_to(self, path: Path) -> "Flash":
        """The same flash once more."""
        shutil.copyfile(self.path, path)
        return Flash(path)

    @property
    def arguments(self) -> list[str]:
        """Of the emulator."""
        return nor.arguments(board_toml.load(BOARD), self.path)

    def power_goes_at(self, operation: int, restarts: bool) -> None:
        """In the middle of this erase or program, counted from 1; 0: never, operations are only counted.

        `restarts`: and the board starts again at once; else it stands still, to be killed.
        """
        self.arguments  # noqa: B018  # makes the file
        with self.path.open("r+b") as file:
            file.seek(_POWER_AT)
            file.write(_POWER.pack(_MAGIC, operation, int(restarts), 0))

    def power(self) -> tuple[int, int]:
        """Operations until the power goes, and those since it was set."""
        with self.path.open("rb") as file:
            file.seek(_POWER_AT)
            _, stop_at, _, operations = _POWER.unpack(file.read(_POWER.size))
        return stop_at, operations


@contextlib.contextmanager
def booted(elf: Path, flash: Flash, kill: bool = False) -> Iterator[Device]:
    """The device; with `kill` the emulator is killed as soon as the power has gone."""
    with contextlib.ExitStack() as stack:
        machine = stack.enter_context(emulator.machine(BOARD, elf, extra=flash.arguments))
        if kill:
            stack.enter_context(_killer(machine.pid, flash))
        line = SerialTransport(machine.url)  # a line is not opened again: what is behind it has been killed
        yield stack.enter_context(Device(line, timeout=60.0, open_timeout=30.0, image_timeout=120.0))


@contextlib.contextmanager
def _killer(pid: int, flash: Flash) -> Iterator[None]:
    done = threading.Event()

    def watch() -> None:
        with flash.path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
            while not done.wait(0.002):
                if _POWER.unpack_from(memory, _POWER_AT)[1] == 0:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                    return

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def assert_answers(device: Device, *models: tuned.Model) -> tuned.Model:
    """The device answers with one of these models, and rightly; which one."""
    running = device.upload_held().sha256
    (found,) = [m for m in models if m.manifest.sha256 == running]
    m = found.manifest
    image = np.random.default_rng(1).integers(-128, 128, (m.height, m.width, m.channels)).astype(np.int8)
    logits, _ = HostEngine(found.content).infer(image)
    assert np.array_equal(device.infer(image).logits, logits)
    return found


def converted(folder: Path, name: str, layers: int) -> None:
    """build/<name> in `folder`, as `make convert` leaves it: digits, its last layers fine-tuned."""
    from squeezenet_mcu.common.files import sha256
    from tests.manifests import manifest

    tflite = (ZOO / "digits" / "model.tflite").read_bytes()
    content = tuned.fine_tuned(tflite, layers) if layers else tflite
    made = tuned.of_tflite(content)
    place = folder / "build" / name
    place.mkdir(parents=True)
    (place / "model.tflite").write_bytes(content)
    (place / "model.sqz").write_bytes(made.content)
    m = made.manifest
    told = manifest(content) | {
        "model": name,
        "tflite_sha256": sha256(content),
        "macs": 1298304,
        "flash_limits": {"dsp": 16384},
    }
    told["input"] |= {"height": m.height, "width": m.width, "channels": m.channels}
    told["output"] |= {"classes": m.classes}
    (place / "manifest.json").write_text(json.dumps(told))

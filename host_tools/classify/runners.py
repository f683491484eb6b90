"""What a network is run by: the engine on this computer, an emulated board, or a real one."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from squeezenet_mcu.common import files
from squeezenet_mcu.common.command_line.notices import notice
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.litert import Reference
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.link.device import Device
from squeezenet_mcu.host_tools.validate import cost, devices
from squeezenet_mcu.host_tools.validate.cost import Cost
from squeezenet_mcu.host_tools.validate.devices import Way
from squeezenet_mcu.host_tools.validate.inputs import Artefacts

Int8 = npt.NDArray[np.int8]
_MOST_MODEL = 64 << 20  # bytes of model.sqz; ImageNet's have 1.3 million


@dataclass(frozen=True)
class Run:
    """What came of one image: int8 [classes] each; milliseconds where the board's counter tells them."""

    logits: Int8
    probabilities: Int8
    milliseconds: float | None


@dataclass(frozen=True)
class Runner:
    """`by`: what runs the network, for people; `run`: takes int8 [height, width, channels]."""

    by: str
    run: Callable[[Int8], Run]


@contextlib.contextmanager
def opened(way: Way, artefacts: Artefacts) -> Iterator[Runner]:
    """The board at way.port, the emulated way.board, or else this computer; as long as the context.

    UserError: see devices.connected; the model is damaged, or not one that this computer can run.
    """
    if way.port or way.board:
        with devices.connected(way, artefacts) as device:
            name = device.info.board
            yield Runner(f"{name} at {way.port}" if way.port else f"the emulated {name}", _on(device))
        return
    if way.engine != "squeeze":
        raise UserError(f"--engine {way.engine}: is of a board's firmware; want --board or --port, too")
    yield _here(artefacts)


def _on(device: Device) -> Callable[[Int8], Run]:
    kind, hertz = device.info.counter_kind, device.info.counter_hz

    def run(image: Int8) -> Run:
        found = device.infer(image)
        milliseconds = None  # emulators that count instructions have no time
        if kind == "cycles" and hertz:
            milliseconds = found.count / hertz * 1e3
        elif kind == "microseconds":
            milliseconds = found.count / 1e3
        return Run(found.logits, found.probabilities, milliseconds)

    return run


def _here(artefacts: Artefacts) -> Runner:
    """Our engine where there is a compiler, else LiteRT's reference kernels, which give the same answers."""
    blob, why = engine_model(artefacts), "the model is for TFLite Micro alone"
    if blob is not None:
        try:
            from squeezenet_mcu.convert.verify import host_engine

            host_engine.build()
        except UserError as error:  # no compiler, say
            why = str(error)
        else:
            engine = host_engine.HostEngine(blob)
            return Runner("our engine on this computer", lambda image: Run(*engine.infer(image), None))
    notice(f"{why}; LiteRT's reference kernels run the .tflite instead: the same answers")
    reference = Reference.of(artefacts.manifest, artefacts.tflite)
    logits: int = artefacts.manifest["output"]["logits_tensor"]
    return Runner("LiteRT on this computer", lambda image: Run(*reference.infer(image, logits), None))


def engine_model(artefacts: Artefacts) -> bytes | None:
    """The bytes of model.sqz; None: the conversion made none. UserError: they are not what it made."""
    if "engine" in artefacts.manifest:
        return None
    path = artefacts.folder / "model.sqz"
    fix = f"run: make convert MODEL={artefacts.model}"
    content = files.read_input(path, _MOST_MODEL, fix)
    if files.sha256(content) != artefacts.manifest["engine_sha256"]:
        raise UserError(f"{path}: is not what manifest.json says; {fix}")
    return content


def counted(way: Way, artefacts: Artefacts, image: Int8) -> tuple[Cost, str] | None:
    """What `image` costs the emulated board, and a line for people; None, with a notice: nobody knows."""
    assert way.board is not None
    hardware, elf = board_toml.load(way.board), devices.firmware_of(way, artefacts)
    try:
        found = cost.of_one_image(way.board, hardware, Path(elf), image, devices.opener(way, artefacts))
    except cost.NotCountedError as error:
        notice(f"no cycles: {error}")
        return None
    return (found, cost.line(found, hardware)) if found else None

"""The commands of MLPerf Tiny: a firmware with PROTOCOL=mlperf_tiny does what the benchmark's runner wants.

mlperf_runner.py sends what the runner sends and takes replies as it takes them: in accuracy mode image by
image, in throughput mode five windows between timestamps. The answers are LiteRT's, to the last int8.
"""

import json

import numpy as np
import pytest

from squeezenet_mcu.common.data.sources import load
from squeezenet_mcu.common.formats.manifest import read_manifest
from squeezenet_mcu.common.litert import Reference
from squeezenet_mcu.common.paths import FIRMWARE
from squeezenet_mcu.common.preprocess import quantize_images
from squeezenet_mcu.host_tools.emulate import emulator
from squeezenet_mcu.host_tools.link.device import Device
from tests.convert.shared_files import SHARED
from tests.e2e import mlperf_runner, verbs
from tests.e2e.mlperf_runner import NoAnswerError, Runner

PROTOCOL = "mlperf_tiny"
PICO = "rp2040"
# Of a board: images in accuracy mode, and inferences in a window of throughput mode; the runner's own are 200
# and 20. The Pico's emulator takes seconds for an image.
BOARDS = {
    "stm32f405": (100, 20), "mps2_an386": (10, 20), "mps2_an500": (20, 20), "mps2_an505": (10, 20),
    "mps3_an547": (20, 20), "riscv_virt": (10, 4), PICO: (2, 1),
}  # fmt: skip
MODELS = {"cifar10": 85.0, "resnet8": 83.0}  # and per cent, at least, of 100 images


class Bench:
    """A model on an emulated board, and what LiteRT says of it."""

    def __init__(self, workplace, model, board):
        self.manifest = read_manifest(workplace / "build" / model)
        tflite = (workplace / "build" / model / "model.tflite").read_bytes()
        self.reference = Reference.of(self.manifest, tflite)
        verbs.succeed(
            workplace, "host_tools", "firmware", "--model", model, "--board", board, "--protocol", PROTOCOL
        )
        self.elf = workplace / f"build/{model}/firmware/{board}-{PROTOCOL}/firmware.elf"
        self.board = board

    def int8_of(self, image):
        """What the network sees of a picture, uint8 [height, width, channels]."""
        return quantize_images(image[None], self.manifest["input"])[0]

    def answer(self, image):
        """The results as the benchmark's own firmware would print them, of LiteRT's int8."""
        output = self.manifest["output"]
        _, values = self.reference.infer(self.int8_of(image), output["logits_tensor"])
        real = (values.astype(np.float32) - output["zero_point"]) * np.float32(output["scale"])
        return [float(f"{value:.3f}") for value in real]

    def boot(self, machine):
        """A runner that has seen the board start."""
        runner = Runner(machine.url)
        first = runner.reply()
        assert first[0] == "m-timestamp-mode-performance"
        assert first[-2:] == ["m-init-done", "m-ready"]
        return runner


def accuracy_mode(bench, runner, images, classes):
    """Per cent, as the runner reports it; every result is compared."""
    answers = []
    for image in images:
        assert runner.load(image.tobytes()) == ["m-load-done", "m-ready"]
        inference = runner.infer(1, 0)
        assert inference.vectors == 1 and inference.elapsed > 0
        assert inference.results == bench.answer(image)
        answers.append(inference.results)
    return mlperf_runner.accuracy(answers, classes)


def test_digits_as_the_runner_does_it(workplace):
    bench = Bench(workplace, "digits", "stm32f405")
    noise = np.random.default_rng(1).integers(0, 160, (60, 28, 28, 1), np.uint8)
    # The network is not sure of these: each pixel, and each digit of an answer, can be told.
    images = sorted(noise, key=lambda image: len(set(bench.answer(image))))[-3:]
    counts = json.loads((FIRMWARE.parent / "host_tools/bench/reference.json").read_text())
    with emulator.machine("stm32f405", bench.elf) as machine:
        runner = bench.boot(machine)
        assert runner.name() == "stm32f405"
        assert runner.profile() == {"profile": "ULPMark for tinyML Firmware V0.0.1", "model": "digits"}
        said = runner.command("infer 1 0")
        assert said == ["e-[The input has 0 bytes, the model takes 784]", "m-ready"]
        accuracy_mode(bench, runner, images, [0, 0, 0])
        assert runner.command("results")[0] == runner.said[-2]
        window = runner.infer(20, 2)
        # A nanosecond of the emulator is an instruction, which is what the board's counter counts.
        assert window.elapsed * 1000 / 20 == pytest.approx(
            counts["digits/stm32f405/dsp"]["instructions"], rel=0.01
        )
        assert window.results == bench.answer(images[-1])
        assert runner.timestamp() < runner.timestamp()
        for sent, wanted in MISTAKES.items():
            assert runner.command(sent) == [*wanted, "m-ready"], sent
        runner.close()


MISTAKES = {
    "": [],
    "  ": [],
    "\r\nname\n": ["m-name-dut-[stm32f405]"],
    "nonsense\x1b[2J": ["e-[Unknown command: nonsense[2J]"],
    "x" * 81: ["e-[The command is longer than 80 characters]"],
    "db": ["e-[Command 'db' needs load, print or hexadecimal digits]"],
    "db 00": ["e-[No 'db load' came before these bytes]"],
    "db load": ["e-[Command 'db load': the model takes 784 bytes]"],
    "db load 783": ["e-[Command 'db load': the model takes 784 bytes]"],
    "db load 99999999999": ["e-[Command 'db load': the model takes 784 bytes]"],
    "db load 784": ["m-[Expecting 784 bytes]"],
    "db 0": ["e-[An odd number of hexadecimal digits]"],
    "db 0g": ["e-[Not a hexadecimal digit]"],
    "db ff00": [],
    "infer": ["e-[The input has 2 bytes, the model takes 784]"],
    "db print 2": ["m-buffer-ff-00"],
    "db print x": ["e-[Command 'db print' takes numbers]"],
    "db print 1 784": [],
    "infer 0": ["e-[Inference iterations must be a number above 0]"],
    "infer 1 x": ["e-[Inference warmup must be a number]"],
}


@pytest.fixture(scope="session")
def converted(workplace):
    """`workplace` with the two models that MLPerf Tiny's image classification is measured with."""
    resnet8 = SHARED / "baselines" / "mlperf_tiny_resnet8.int8.tflite"
    if not resnet8.is_file():
        pytest.skip("needs MLPerf Tiny's ResNet-8, a test input that is not part of the repository")
    verbs.succeed(workplace, "convert", "--model", "cifar10")
    verbs.succeed(workplace, "convert", "--tflite", str(resnet8), "--model", "resnet8")
    return workplace


@pytest.mark.long
@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("model", MODELS)
def test_the_runners_sequence(converted, photographs, model, board):
    images, number = BOARDS[board]
    bench = Bench(converted, model, board)
    test = load(photographs, "test", 32, 32, 3, images)
    pictures = test.x
    with emulator.machine(board, bench.elf) as machine:
        runner = bench.boot(machine)
        assert runner.name() == board
        assert runner.profile()["model"] == "ic01"
        right = accuracy_mode(bench, runner, pictures, test.y.tolist())
        assert images < 100 or right >= MODELS[model]
        few = [picture.tobytes() for picture in (*pictures, *pictures, *pictures)][: mlperf_runner.LOOPS]
        median, windows = mlperf_runner.throughput(runner, few, number, 0)
        runner.close()
    for window, picture in zip(windows, (*pictures, *pictures, *pictures), strict=False):
        assert window.results == bench.answer(picture)
    counted, hz = count(converted, model, board, bench.int8_of(pictures[0]))
    assert median == pytest.approx(hz / counted, rel=0.01)
    print(f"{model} on {board}: {right} %, {median:.3f} inferences a second")


def count(workplace, model, board, image):
    """What the counter of the link's firmware says of an image, and its ticks a second."""
    verbs.succeed(workplace, "host_tools", "firmware", "--model", model, "--board", board)
    elf = workplace / f"build/{model}/firmware/{board}/firmware.elf"
    with emulator.machine(board, elf) as machine, Device(machine.url, 30.0, image_timeout=300.0) as device:
        counted = device.infer(image).count
        return counted, device.info.counter_hz or 1_000_000_000


def test_a_runner_waits_no_longer_than_it_must():
    """The player itself: silence ends it, as it ends the runner."""
    runner = Runner("loop://", patience=0.02)
    with pytest.raises(NoAnswerError, match=r"no line within 0\.1 s"):
        runner.command("name")

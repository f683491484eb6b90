"""Uploads to the real firmware on this machine: what it takes and refuses, what an interruption leaves."""

import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.convert.target import Target
from squeezenet_mcu.convert.verify.host_engine import HostEngine
from squeezenet_mcu.host_tools.link import messages, upload_messages
from squeezenet_mcu.host_tools.link.device import Device
from squeezenet_mcu.host_tools.link.errors import PortError, RefusedError, UploadRefusedError
from squeezenet_mcu.host_tools.link.exchange import Exchange
from squeezenet_mcu.host_tools.link.messages import ErrorCode, Refusal, Request, State
from squeezenet_mcu.host_tools.link.upload.sender import Sender
from squeezenet_mcu.host_tools.link.upload_messages import Held, UploadRequest
from tests.host_tools.link.link_lines import LossyLine
from tests.protocol.link_binaries import FakeDevice
from tests.update import tuned
from tests.update.host_device import SLOT, HostDevice, Stopping

GEMM = 1 << 1


@pytest.fixture(scope="module")
def old():
    return tuned.digits()


@pytest.fixture(scope="module")
def new():
    """Fine-tuned in its last two layers."""
    return tuned.digits(2, counter=5)


def running(device: Device) -> bytes:
    return device.upload_held().sha256


def assert_answers(device: Device, model: tuned.Model) -> None:
    m = model.manifest
    image = np.random.default_rng(1).integers(-128, 128, (m.height, m.width, m.channels)).astype(np.int8)
    logits, probabilities = HostEngine(model.content).infer(image)
    result = device.infer(image)
    assert np.array_equal(result.logits, logits) and np.array_equal(result.probabilities, probabilities)


@pytest.mark.parametrize("known", [True, False], ids=["its bytes are known", "by hashes"])
def test_only_what_differs_travels_and_the_new_model_answers(tmp_path, old, new, known):
    with Device(HostDevice(tmp_path / "flash")) as device:
        seen = []
        device.upload(new.manifest, new.content, old.content if known else None, seen.append)
        assert device.statistics.bytes_passed <= 0.4 * len(new.content)
        assert seen == sorted(seen) and seen[-1] == len(new.content)
        assert running(device) == new.manifest.sha256
        assert device.info.model_sha256 == new.manifest.source_sha256.hex()
        assert_answers(device, new)
    with Device(HostDevice(tmp_path / "flash")) as device:  # and after a power cut
        assert running(device) == new.manifest.sha256
        before = device.upload_held().slot
        device.upload(replace(old.manifest, counter=9), old.content)
        assert (running(device), device.upload_held().slot) == (old.manifest.sha256, 1 - before)
        assert_answers(device, old)


def test_a_model_that_runs_already_is_not_sent(tmp_path, old):
    with Device(HostDevice(tmp_path / "flash")) as device:
        device.upload(old.manifest, old.content)
        assert device.statistics.bytes_passed < 500


# The manifest's fields that make it refused, and what the user reads.
FOREIGN = {
    "foreign height": ({"height": 32}, "the new one's input is 32 x 28 pixels, the device's 28 x 28"),
    "foreign channels": ({"channels": 3}, "has 3 channels and 10 classes, the device wants 1 and 10"),
    "foreign classes": ({"classes": 43}, "the new one has 1 channels and 43 classes"),
    "arena": ({"arena_bytes": 5000}, "needs an arena of 5,000 bytes, the device has 4,704; make it leaner"),
    "too large": ({"size": SLOT}, r"the new one has 65,536 bytes, a slot 6\d,\d\d\d; make it smaller"),
    "empty": ({"size": 0}, "the new one has 0 bytes"),
    "another format": ({"kernels": 9 << 24}, "version 9 of the engine's format, the device wants 3"),
    "another version": ({"version": 7}, "its description has version 7, the device wants 1"),
}  # fmt: skip


def test_what_the_device_cannot_run_is_refused_before_anything_is_erased(tmp_path, old, new):
    flash = tmp_path / "flash"
    with Device(HostDevice(flash)) as device:
        running(device)
        before = flash.read_bytes()
        wrong = dict(FOREIGN)
        wrong["kernels"] = (
            {"kernels": new.manifest.kernels | GEMM},
            "its firmware lacks kernels of the new one: gemm;",
        )
        for name, (changes, words) in wrong.items():
            manifest = replace(new.manifest, **changes)
            for act in (device.upload_check, lambda m: device.upload(m, new.content, old.content)):
                with pytest.raises(
                    UploadRefusedError, match=f"^host device: the device keeps its model: .*{words}"
                ):
                    act(manifest)
            assert flash.read_bytes() == before, name
        assert_answers(device, old)


def test_signed_models_alone(tmp_path, old, new):
    flash = tmp_path / "flash"
    with Device(HostDevice(flash, signed=True)) as device:
        assert device.upload_held().key != bytes(8)
        before = flash.read_bytes()
        good = new.signed()
        wrong = {
            "not signed": new.manifest,
            "another key": new.signed(seed=bytes(32)),
            "signed for another counter": replace(good, counter=6),
            "signed for another model": replace(good, sha256=old.manifest.sha256[::-1]),
            "a damaged signature": replace(
                good, signature=good.signature[:-1] + bytes([good.signature[-1] ^ 1])
            ),
        }
        for name, manifest in wrong.items():
            with pytest.raises(
                UploadRefusedError, match="is not signed by the key that its firmware trusts; want"
            ):
                device.upload(manifest, new.content, old.content)
            assert flash.read_bytes() == before, name
        device.upload(good, new.content, old.content)
        assert running(device) == new.manifest.sha256
        with pytest.raises(UploadRefusedError, match="counter 4 is below 5, so it is older; sign it anew if"):
            device.upload(old.signed(counter=4), old.content, new.content)
        assert_answers(device, new)


def test_what_arrives_wrong_does_not_start(tmp_path, old, new):
    """Announced and signed as it should be; found by what lies in the flash."""
    last = bytearray(new.content)
    last[-1] ^= 1
    short = new.content[:-100]
    wrong = {
        "another SHA-256": (new.manifest, bytes(last), "has another SHA-256 than was announced; upload"),
        "truncated": (
            replace(new.manifest, size=len(short), sha256=tuned.digest(short)), short,
            r"its engine refuses the new one: status 2, truncated; flash firmware",
        ),
        "damaged": (
            replace(new.manifest, sha256=tuned.digest(bytes(last))),
            bytes(last),
            r"its engine refuses the new one: status 5, damaged",
        ),
        "another answer": (replace(new.manifest, golden_crc32=7), new.content, "a wrong answer there"),
        "another .tflite": (
            replace(new.manifest, source_sha256=bytes(32)), new.content, "is not the model that was",
        ),
    }  # fmt: skip
    with Device(HostDevice(tmp_path / "flash")) as device:
        for name, (manifest, content, words) in wrong.items():
            with pytest.raises(UploadRefusedError, match=f"the device keeps its model: .*{words}"):
                device.upload(manifest, content, old.content)
            assert running(device) == old.manifest.sha256, name
            assert_answers(device, old)
        device.upload(new.manifest, new.content, old.content)  # and nothing of that is in the way
        assert_answers(device, new)


def without_an_answer(content: bytes) -> bytes:
    """A model that the parser takes, and whose codes end in nothing as soon as they are decoded."""
    for at in range(900, len(content)):
        damaged = bytearray(content)
        damaged[at] = 0
        damaged[12:16] = zlib.crc32(damaged[16:]).to_bytes(4, "little")
        try:
            engine = HostEngine(bytes(damaged))
        except UserError:
            continue
        try:
            engine.infer(np.zeros(engine.input_shape, np.int8))
        except UserError:
            return bytes(damaged)
    raise AssertionError("no such byte")


def test_a_model_that_gives_no_answer(tmp_path, old, new):
    """Whatever CRC-32 was announced, 0 too: it does not start, not even on trial."""
    content = without_an_answer(new.content)
    for golden in (0, 0xFFFFFFFF):
        manifest = replace(new.manifest, sha256=tuned.digest(content), golden_crc32=golden)
        with Device(HostDevice(tmp_path / "flash")) as device:
            with pytest.raises(UploadRefusedError, match="the new one gives a wrong answer there"):
                device.upload(manifest, content, old.content)
            assert_answers(device, old)


def test_a_board_without_slots_and_firmware_without_updates(tmp_path, new):
    lines = {
        HostDevice(tmp_path / "flash", slots=0): "its board has no slots for models",
        FakeDevice(): r"takes no new models; flash firmware .*make flash UPDATE=1",
    }
    for line, words in lines.items():
        with Device(line) as device, pytest.raises(RefusedError, match=words):
            device.upload(new.manifest, new.content)


def test_one_slot(tmp_path, old, new):
    """The linked model runs while the slot is written."""
    newer = tuned.digits(1, seed=3, counter=6)
    with Device(HostDevice(tmp_path / "flash", slots=1)) as device:
        device.upload(new.manifest, new.content, old.content)
        assert_answers(device, new)
        device.upload(newer.manifest, newer.content, new.content)
        assert_answers(device, newer)


@pytest.mark.parametrize("reset", [False, True])
def test_an_upload_goes_on_where_it_was(tmp_path, old, new, reset):
    device_line = HostDevice(tmp_path / "flash")
    with pytest.raises(PortError), Device(Stopping(device_line, 7)) as device:
        device.upload(new.manifest, new.content)  # by hashes: more requests
    if reset:
        device_line.reset()
    with Device(device_line) as device:
        left = device.upload_held()
        assert 0 < left.pending_bytes < len(new.content)
        assert left.pending == new.manifest.sha256[:8]
        seen = []
        device.upload(new.manifest, new.content, old.content, seen.append)
        assert seen[0] == left.pending_bytes
        assert_answers(device, new)


def cut(flash, old, new, at: int, half: int) -> int:
    """An upload during which the power goes once; the device answers with the old or the new model. Cuts."""
    line = HostDevice(flash, at, half)
    with Device(line, first_wait=0.05) as device:
        assert running(device) in (old.manifest.sha256, new.manifest.sha256)
        device.upload(new.manifest, new.content, old.content)
        assert running(device) == new.manifest.sha256
        assert_answers(device, new)
    return line.cuts


@pytest.mark.parametrize("half", [0, 1, 2])
def test_the_power_may_go_at_any_moment(tmp_path, old, new, half):
    """Some moments; all of them: test_long_uploads.py."""
    for at in (1, 2, 3, 40, 700, 2450, 2460, 2470):
        cut(tmp_path / f"flash{at}", old, new, at, half)


@pytest.mark.parametrize("at", [1, 4097, 10**6])
def test_a_checkpoint_where_no_sector_begins(tmp_path, old, new, at):
    """Damage made it, or somebody: the update begins anew."""
    flash = tmp_path / "flash"
    with Device(HostDevice(flash)) as device:
        device.upload(new.manifest, new.content, old.content)
    content = bytearray(flash.read_bytes())
    activation = 16 + 176  # docs/update.md, "The records": granules of 16 bytes
    checkpoints = activation + 7 * 16
    content[activation : checkpoints + 24 * 16] = b"\xff" * (checkpoints + 24 * 16 - activation)
    content[checkpoints : checkpoints + 16] = struct.pack("<4I", at, at ^ 0xFFFFFFFF, 0, 0xFFFFFFFF)
    flash.write_bytes(content)
    with Device(HostDevice(flash)) as device:
        assert (running(device), device.upload_held().pending_bytes) == (old.manifest.sha256, 0)
        device.upload(new.manifest, new.content, old.content)
        assert_answers(device, new)


def test_a_line_that_loses_and_damages(tmp_path, old, new):
    line = LossyLine(HostDevice(tmp_path / "flash"), seed=3, rate=0.001)
    with Device(line, first_wait=0.05) as device:
        device.upload(new.manifest, new.content, old.content)
        assert line.damaged > 3
        assert_answers(device, new)


def test_a_model_for_other_kernels(tmp_path):
    """Made for a Cortex-M4; the firmware has those of any CPU."""
    other = tuned.digits(counter=5, target=Target(family="dsp"))
    refused = pytest.raises(UploadRefusedError, match=r"lacks kernels of the new one: gemm, sparse_list;")
    with Device(HostDevice(tmp_path / "flash")) as device, refused:
        device.upload_check(replace(other.manifest, arena_bytes=100))


def test_an_upload_drops_the_image_under_way(tmp_path):
    """The engine may have tried another model since: the host is told to begin the image again."""
    line = HostDevice(tmp_path / "flash")
    exchange = Exchange(line)

    def ask(kind, payload):
        exchange.send(kind, payload)
        _, reply = exchange.answer(5.0, lambda: None, 5.0)
        return reply

    ask(Request.HELLO, messages.hello(7))
    assert ask(Request.BEGIN, messages.begin(1)).state is State.RECEIVING
    assert isinstance(ask(UploadRequest.OFFER, b""), Held)
    reply = ask(Request.ROWS, messages.rows(1, 0, bytes(28)))
    assert reply == Refusal(ErrorCode.WRONG_IMAGE, 0)
    for kind, payload in (
        (UploadRequest.OFFER, b"x"), (UploadRequest.HASHES, b""), (UploadRequest.COPY, bytes(7)),
        (UploadRequest.DATA, bytes(5)), (UploadRequest.FINISH, b""), (UploadRequest.CANCEL, bytes(5)),
    ):  # fmt: skip
        assert ask(kind, payload) == Refusal(ErrorCode.MALFORMED, kind)
    for block, first in ((15, 0), (4097, 0), (64, 1000)):
        assert ask(UploadRequest.HASHES, upload_messages.hashes(block, first)).code == ErrorCode.OUT_OF_RANGE
    line.close()


def test_copies_from_beyond_the_running_model(tmp_path, old, new):
    """Each piece is looked at before the first one is copied."""
    line = HostDevice(tmp_path / "flash")
    with Device(line) as device:
        sender = Sender(device._exchange, device.info, device._patience)
        sender.offer(new.manifest)
        size = len(old.content)
        begins = upload_messages.at(new.manifest.id, 0)
        for wrong in (
            upload_messages.piece(1, size, b""), upload_messages.piece(size + 1, 0, b""),
            upload_messages.piece(2, 0xFFFFFFFF, b""), upload_messages.piece(16_385, 0, b""),
            upload_messages.piece(100, 0, b"ab")[:-1], upload_messages.piece(1, 0, b"a") + b"x",
        ):  # fmt: skip
            good = upload_messages.piece(10, 0, b"")
            device._exchange.send(UploadRequest.COPY, begins + good + wrong)
            _, reply = device._exchange.answer(5.0, lambda: None, 5.0)
            assert reply == Refusal(ErrorCode.MALFORMED, UploadRequest.COPY)
            assert sender.offer(new.manifest).received == 0


def test_a_repeated_request_and_one_behind_a_gap_change_nothing(tmp_path, new):
    with Device(HostDevice(tmp_path / "flash")) as device:
        sender = Sender(device._exchange, device.info, device._patience)
        sender.offer(new.manifest)

        def send(kind: UploadRequest, offset: int, payload: bytes) -> int:
            device._exchange.send(kind, upload_messages.at(new.manifest.id, offset) + payload)
            _, reply = device._exchange.answer(5.0, lambda: None, 5.0)
            return reply.received

        copy = upload_messages.piece(50, 0, b"ab")
        assert send(UploadRequest.DATA, 0, new.content[:100]) == 100
        assert send(UploadRequest.DATA, 0, new.content[:100]) == 100
        assert send(UploadRequest.DATA, 101, new.content[101:200]) == 100
        assert send(UploadRequest.COPY, 100, copy) == 152
        assert send(UploadRequest.COPY, 100, copy) == send(UploadRequest.COPY, 160, copy) == 152

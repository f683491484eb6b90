"""Uploads to an emulated Cortex-M4 whose flash is a file: killed, booted again, it answers, old or new."""

import contextlib

import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.host_tools.emulate import emulator
from squeezenet_mcu.host_tools.link.device import Device
from squeezenet_mcu.host_tools.link.errors import UploadRefusedError
from squeezenet_mcu.host_tools.signing import monocypher
from tests.update import emulated, tuned
from tests.update.emulated import Flash, assert_answers, booted

POINTS = 500
BYTES_OF_MODEL = 0.4  # at most so much travels of digits, fine-tuned in its last layers


@pytest.fixture(scope="module")
def elf(tmp_path_factory):
    return emulated.firmware(tmp_path_factory.mktemp("firmware"))


@pytest.fixture(scope="module")
def models():
    """Linked in; fine-tuned in the last two layers; and in the last one."""
    return emulated.model(), emulated.model(2, counter=5), emulated.model(1, seed=3, counter=6)


def interrupted(elf, flash: Flash, models, operation: int, kill: bool) -> None:
    """The power goes at this operation of an upload from models[1] to models[2]."""
    _, old, new = models
    flash.power_goes_at(operation, restarts=not kill)
    with contextlib.suppress(UserError if kill else ()), booted(elf, flash, kill) as device:
        device.upload(new.manifest, new.content, old.content)
        assert not kill, "it was to be killed"
    assert flash.power()[0] == 0, "the power did not go"
    with booted(elf, flash) as device:
        found = assert_answers(device, old, new)
        assert found is new or kill
        device.upload(new.manifest, new.content, old.content)  # what was interrupted goes on
        assert_answers(device, new)


def prepared(elf, flash: Flash, models) -> int:
    """A board that runs models[1] from a slot; how many operations an upload of models[2] takes."""
    linked, old, new = models
    with booted(elf, flash) as device:
        assert_answers(device, linked)
        device.upload(old.manifest, old.content, linked.content)
        assert_answers(device, old)
    counted = flash.copy_to(flash.path.with_suffix(".counted"))
    counted.power_goes_at(0, restarts=False)
    with booted(elf, counted) as device:
        device.upload(new.manifest, new.content, old.content)
    return counted.power()[1]


@pytest.mark.long
@pytest.mark.parametrize("kill", [True, False], ids=["killed", "restarts by itself"])
def test_some_moments(elf, models, tmp_path, kill):
    flash = Flash(tmp_path / "flash")
    count = prepared(elf, flash, models)
    for operation in (1, 2, count // 2, count - 1, count):
        again = flash.copy_to(tmp_path / "again")
        interrupted(elf, again, models, operation, kill)


@pytest.mark.long
def test_killed_at_500_points_of_an_update(elf, models, tmp_path):
    """Chosen by count of writes, spread over the update, the first and the last among them."""
    flash = Flash(tmp_path / "flash")
    count = prepared(elf, flash, models)
    assert count >= POINTS
    points = {1 + i * (count - 1) // (POINTS - 1) for i in range(POINTS)}
    assert len(points) == POINTS
    for operation in sorted(points):
        interrupted(elf, flash.copy_to(tmp_path / "again"), models, operation, kill=True)


@pytest.mark.long
@pytest.mark.parametrize("known", [True, False], ids=["its bytes are known", "by hashes"])
def test_bytes_on_the_wire(elf, models, tmp_path, known):
    """A network that was fine-tuned in its last layers, activation ranges frozen.

    The least of some: on a busy machine the emulator is slow, and requests are sent again.
    """
    linked, new, _ = models
    passed = []
    while not passed or (min(passed) > BYTES_OF_MODEL * len(new.content) and len(passed) < 5):
        flash = Flash(tmp_path / f"flash{len(passed)}")
        with (
            emulator.machine(emulated.BOARD, elf, extra=flash.arguments) as machine,
            Device(machine.url, timeout=60.0, open_timeout=30.0) as device,
        ):
            device.upload(new.manifest, new.content, linked.content if known else None)
            passed.append(device.statistics.bytes_passed)
            assert_answers(device, new)
    assert min(passed) <= BYTES_OF_MODEL * len(new.content), passed


@pytest.mark.long
def test_signatures_on_a_cortex_m4(models, tmp_path):
    _, public = monocypher.key_pair(tuned.SEED)
    elf = emulated.firmware(tmp_path, public.hex())
    linked, new, _ = models
    with booted(elf, Flash(tmp_path / "flash")) as device:
        for manifest in (new.manifest, new.signed(seed=bytes(32))):
            with pytest.raises(UploadRefusedError, match="is not signed by the key"):
                device.upload(manifest, new.content, linked.content)
        assert_answers(device, linked)
        device.upload(new.signed(), new.content, linked.content)
        assert_answers(device, new)

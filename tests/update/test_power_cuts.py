"""Whatever operation of an update the power goes at, and however that leaves the flash: a model starts."""

import pytest

from tests.update.programs import run

# Of each flash, every how many programs of the model's bytes are cut in `make test`; the records' all are.
STRIDES = {"stm32f4": 31, "stm32f4_small": 13, "stm32h7": 1, "rp2040": 1, "nrf52840": 3, "mps2": 1}


def cut(flash: str, slots: int, stride: int, ends: int) -> dict[str, int]:
    words = run("cut_updates", flash, slots, stride, ends).split()
    return dict(zip(words[::2], map(int, words[1::2]), strict=True))


@pytest.mark.parametrize("slots", [1, 2])
@pytest.mark.parametrize("flash", STRIDES)
def test_a_power_cut_leaves_the_old_or_the_new_model(flash, slots):
    figures = cut(flash, slots, STRIDES[flash], 397)
    assert figures["cuts"] > 1000
    assert figures["ended"] > 0
    # Of three updates in two slots, or two in one, whose last sector keeps the counter.
    assert figures["erases"] <= 2


@pytest.mark.long
@pytest.mark.parametrize("slots", [1, 2])
@pytest.mark.parametrize("flash", STRIDES)
def test_every_single_operation(flash, slots):
    figures = cut(flash, slots, 1, 397 if flash.startswith("stm32f4") else 101)
    assert figures["cuts"] > 3 * figures["operations"] - 10

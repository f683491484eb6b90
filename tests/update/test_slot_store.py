"""What the slots of an update do and refuse, on each flash: store_cases.cc says it, a case at a time."""

import pytest

from tests.update.programs import run

FLASHES = ("stm32f4", "stm32f4_small", "stm32h7", "rp2040", "nrf52840", "mps2")
CASES = (
    "refusals", "fits", "wrong_sha", "not_accepted", "roll_back", "reject", "resume", "other_firmware", "age",
    "one_slot", "slots", "wear",
)  # fmt: skip


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("flash", FLASHES)
def test_case(flash, case):
    run("store_cases", flash, case)


@pytest.mark.parametrize("flash", ["rp2040", "stm32h7"])
def test_power_that_goes_again_and_again(flash):
    run("store_cases", flash, "random_cuts")

"""`selftest` against boards that lie: success or one line, in 20 s and 500 MB. See selftest_lies.py."""

import pytest

from tests.host_tools.liars.lied_to import Ending, assert_all_harmless, assert_harmless, run
from tests.host_tools.liars.lying_board import speaking
from tests.host_tools.liars.selftest_lies import LIES, SAMPLE, conversation


def ending(folder, lie, *options: str) -> Ending:
    folder.mkdir(exist_ok=True)
    with speaking(conversation(lie)) as url:
        return run(folder, "selftest", *options, "--board=stm32f405", "--port", url)


@pytest.mark.long
@pytest.mark.parametrize("lie", LIES)
def test_a_lie_with_all_patience(lie, tmp_path):
    found = ending(tmp_path, LIES[lie])
    print(f"LIE|{lie}|{found.seconds:.1f} s|{found.peak / 1e6:.0f} MB|{found.err.strip() or 'passed'}")
    assert_harmless(found, LIES[lie].ends)


def test_a_sample_in_a_hurry(tmp_path):
    assert_all_harmless(ending, LIES, SAMPLE, tmp_path)

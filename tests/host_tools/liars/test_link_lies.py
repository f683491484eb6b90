"""`validate` against boards that lie: success or one line, in 20 s and 500 MB. See link_lies.py."""

import pytest

from tests.host_tools.liars.lied_to import Ending, assert_all_harmless, assert_harmless, make_folder, run
from tests.host_tools.liars.link_lies import LIES, SAMPLE
from tests.host_tools.liars.lying_board import conversation, speaking


def ending(folder, lie, *options: str) -> Ending:
    with speaking(conversation(lie.board(), lie.says, lie.first())) as url:
        return run(make_folder(folder), "validate", *options, "--model=toy", "--limit=3", "--port", url)


@pytest.mark.long
@pytest.mark.parametrize("lie", LIES)
def test_a_lie_with_all_patience(lie, tmp_path):
    found = ending(tmp_path, LIES[lie])
    print(f"LIE|{lie}|{found.seconds:.1f} s|{found.peak / 1e6:.0f} MB|{found.err.strip() or LIES[lie].ends}")
    assert_harmless(found, LIES[lie].ends)


def test_a_sample_in_a_hurry(tmp_path):
    assert_all_harmless(ending, LIES, SAMPLE, tmp_path)

"""`validate` against boards that lie: success or one line, in 20 s and 500 MB. See link_lies.py."""

import struct

import pytest

from squeezenet_mcu.host_tools.link.frame import Frame
from squeezenet_mcu.host_tools.link.messages import VERSION, Request
from tests.host_tools.liars.lied_to import Ending, assert_all_harmless, assert_harmless, make_folder, run
from tests.host_tools.liars.link_lies import LIES, SAMPLE
from tests.host_tools.liars.lying_board import IMAGE_BYTES, conversation, speaking


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


@pytest.mark.parametrize("lie", ["reset, fewer classes", "progress without end"])
def test_a_lie_does_not_remember_an_earlier_board(lie):
    def told() -> list[bytes]:
        board = LIES[lie].board()
        frames = [Frame(Request.HELLO, 0, struct.pack("<BI", VERSION, 5))]
        for image in (1, 2):
            frames.append(Frame(Request.BEGIN, image, struct.pack("<I", image)))
            frames.append(Frame(Request.ROWS, image, struct.pack("<II", image, 0) + bytes(IMAGE_BYTES)))
        return [b"".join(LIES[lie].says(board, frame)) for frame in frames]

    assert told() == told()

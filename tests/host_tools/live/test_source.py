"""What SOURCE= names."""

import numpy as np
import pytest
from PIL import Image

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.preprocess import quantize_images
from squeezenet_mcu.host_tools.live import source
from squeezenet_mcu.host_tools.live.source import Camera
from squeezenet_mcu.host_tools.validate.inputs import Artefacts
from tests.manifests import manifest

SIZE = {**manifest()["input"], "height": 8, "width": 8}


def of(text, **changed):
    return source.of(Artefacts(manifest(input=SIZE, **changed), b"", None), text)


@pytest.fixture
def folder(tmp_path):
    """Three pictures, one of which is broken, and none of them of a class."""
    for i, name in enumerate(("b.png", "a.png")):
        Image.fromarray(np.full((8, 8), 40 * i, np.uint8)).save(tmp_path / name)
    (tmp_path / "c.png").write_bytes(b"broken")
    return tmp_path


def test_a_folder_of_pictures_again_and_again(folder, capsys):
    found = of(str(folder))
    names = [found.take(0).name for _ in range(5)]
    assert names == ["a.png", "b.png", "a.png", "b.png", "a.png"]
    assert "c.png: left out: " in capsys.readouterr().out
    shown = found.take(0)
    assert shown.label == -1 and shown.pixels.shape == (8, 8, 1) and shown.pixels.dtype == np.uint8
    assert (shown.image == quantize_images(shown.pixels[np.newaxis], SIZE)[0]).all()


def test_a_picture(folder):
    found = of(str(folder / "a.png"))
    assert len(found) == 1 and found.take(0).name == "a.png"


def test_class_folders_come_mixed_with_their_labels(tmp_path):
    for label in range(10):
        (tmp_path / "test" / str(label)).mkdir(parents=True)
        (tmp_path / "train" / str(label)).mkdir(parents=True)
        for i in range(3):
            image = Image.fromarray(np.full((8, 8), 10 * label + i, np.uint8))
            image.save(tmp_path / "test" / str(label) / f"{i}.png")
            image.save(tmp_path / "train" / str(label) / f"{i}.png")
    taken = [of(str(tmp_path)).take(0) for _ in range(2)]
    assert taken[0].name == taken[1].name  # the same order each time
    found = of(str(tmp_path))
    shown = [found.take(0) for _ in range(len(found))]
    labels = [one.label for one in shown]
    assert len(found) == 30 and sorted(labels) == sorted([*range(10)] * 3) and labels != sorted(labels)
    assert all(one.pixels[0, 0, 0] // 10 == one.label for one in shown)


def test_data_by_name():
    found = of("random:7")
    assert len(found) == 7 and found.take(0).name.startswith("random:7, number ")


def test_the_camera():
    found = of("camera")
    assert isinstance(found, Camera) and found.frame_bytes == 64
    assert found.take(0.01) is None
    assert not found.offer(bytes(63)) and found.offer(bytes([1]) * 64) and found.offer(bytes([2]) * 64)
    shown = found.take(0)  # the newest
    assert (shown.pixels == 2).all() and shown.name == "frame 1" and found.take(0) is None
    with pytest.raises(UserError, match=r"^toy takes images of 2 channels, which no camera has"):
        source.of(Artefacts(manifest(input={**SIZE, "channels": 2}), b"", None), "camera")


@pytest.mark.parametrize("text", ["nothing/here", "nothing.jpg"])
def test_what_is_not_there(text):
    with pytest.raises(UserError, match=f"^{text}: no such pictures; want a folder of pictures or of class"):
        of(text)


def test_what_has_no_pictures(tmp_path):
    with pytest.raises(UserError, match="is empty; want a folder of pictures or"):
        of(str(tmp_path))
    (tmp_path / "notes.txt").write_text("none")
    with pytest.raises(UserError, match=r"notes.txt: is no picture; want .*, camera, "):
        of(str(tmp_path / "notes.txt"))
    with pytest.raises(UserError, match=r"camera\?"):
        of("camra")

"""The command without a network: a device that answers by a hash, and what becomes of files and names.

With networks, on this computer and in an emulator: tests/e2e/test_classify.py.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from squeezenet_mcu.common import cli, files, start
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.convert.verify import host_engine
from squeezenet_mcu.host_tools.classify import answers, command, pictures, sheet
from squeezenet_mcu.host_tools.classify.runners import Run
from squeezenet_mcu.host_tools.validate import top5
from tests.host_tools.validate.toy import set_sha
from tests.manifests import manifest
from tests.protocol.link_binaries import fake_answer

ESC = "\x1b[31mred\n.png"


@pytest.fixture
def toy(build, same_model):
    """build/toy/, whose .tflite has the SHA-256 that the device says."""
    set_sha(build, "5a" * 32)
    return build


@pytest.fixture
def photos(tmp_path):
    """A folder of two pictures, one in a folder below; a broken one, one of a kind that is not read."""
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    for number, name in enumerate(("a b.png", f"more/{ESC}")):
        Image.new("RGB", (9, 12), (80 * number, 30, 200)).save(folder / name)
    (folder / "broken.jpg").write_bytes(b"no picture")
    (folder / "raw.cr2").touch()
    return folder


def classify(*words) -> int:
    return cli.main(
        "python -m host_tools", "test", [command], ["classify", "--model", "toy", *map(str, words)]
    )


def test_a_board_at_a_port(toy, url, photos, capsys):
    assert classify(photos, "--port", url, "--json", "answers.json") == 0
    out, err = capsys.readouterr()
    assert "note: photos: left out 1 images of kinds that are not read: 1 .cr2\n" in out.replace(
        str(photos), "photos"
    )
    assert err == f"classify: {photos}/broken.jpg: cannot be read (of no format that is read)\n"
    lines = out.splitlines()
    assert lines[1].startswith("toy, by ") and lines[1].endswith(f" at {url}:")
    found = json.loads((toy.parents[1] / "answers.json").read_text())
    assert [picture["file"] for picture in found["pictures"]] == [
        f"{photos}/a b.png", f"{photos}/more/{ESC}"
    ]  # fmt: skip
    assert found["unreadable"] == [{"file": f"{photos}/broken.jpg", "reason": "of no format that is read"}]
    assert "\x1b" not in out and f"{photos}/more/?[31mred?.png" in lines[3]
    image = pictures.read_all([photos / "a b.png"], manifest(), lambda *_: None)
    logits, probabilities, _ = fake_answer(next(image).image, 10)
    best = int(logits.argmax())
    first = found["pictures"][0]["top"][0]
    assert (first["class"], first["name"]) == (best, str(best))
    share = (int(probabilities[best]) + 128) / 256
    assert first["probability"] == pytest.approx(share, abs=1e-6)
    assert f"{photos}/a b.png" in lines[2] and f"{best} {share * 100:.1f} %, " in lines[2]
    assert len(found["pictures"][0]["top"]) == 5 and lines[2].count(" %") == 3


def test_one_that_can_be_read_is_enough(toy, url, photos, capsys):
    assert classify(photos / "broken.jpg", photos / "nothing.png", photos / "a b.png", "--port", url) == 0
    assert capsys.readouterr().err.splitlines() == [
        f"classify: {photos}/broken.jpg: cannot be read (of no format that is read)",
        f"classify: {photos}/nothing.png: cannot be read (no such file)",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "no picture; want --image photo.jpg, or a folder of pictures"),
        (["photos/broken.jpg"], "no picture can be read, of 1; want at least one that can"),
        (["empty"], "empty: no pictures in it ("),
        (["photos", "--save", "sheet.jpg"], "--save sheet.jpg: want a name that ends in .png"),
        (["photos", "--save", "photos/a b.png"], "--save photos/a b.png: is there, and is no contact sheet"),
        (["photos", "--save", "pipe.png"], "--save pipe.png: is there, and is no contact sheet"),
        (["photos", "--save", "loop.png"], "--save loop.png: is there, and is no contact sheet"),
        (
            ["photos", "--save", "x.png", "--json", "empty/../x.png"],
            "x.png: is the same file as --json empty",
        ),
        (["photos", "--json", "photos/a b.png"], "photos/a b.png: is there, and holds no JSON"),
        (["photos", "--engine", "tflm"], "--engine tflm: is of a board's firmware; want --board or --port"),
        (
            ["photos", "--board", "rp2040"],
            "firmware.elf: missing; run: python -m host_tools firmware --mod",
        ),
        (["photos", "--board", "pico"], "no board 'pico'; did you mean rp2040?"),
        (
            ["photos", "--model", "toi"],
            "manifest.json: missing; did you mean toy? run: python -m convert",
        ),
        (["photos"], "build/toy/model.sqz: no such file; run: python -m convert --model toy"),
    ],
)
def test_mistakes(toy, photos, words, said, capsys):
    (photos.parent / "empty").mkdir()
    os.mkfifo("pipe.png")
    Path("loop.png").symlink_to("loop.png")
    assert classify(*words) == 1
    err = capsys.readouterr().err.splitlines()
    assert said in err[-1] and all("Traceback" not in line for line in err)


def test_without_a_compiler_litert_answers(toy, photos, capsys, monkeypatch):
    """The same answers, and it says so; a light host may have no compiler."""
    (toy / "model.sqz").write_bytes(b"the engine's model")
    noted = json.loads((toy / "manifest.json").read_text()) | {"engine_sha256": "5a" * 32}
    (toy / "manifest.json").write_text(json.dumps(noted))

    def refuse():
        raise UserError("g++ is not installed; run: sudo apt-get install g++")

    monkeypatch.setattr(host_engine, "build", refuse)
    assert classify(photos / "a b.png", "--save", "sheet.png") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(
        "note: g++ is not installed; run: sudo apt-get install g++; LiteRT's reference "
    )
    assert lines[1] == "toy, by LiteRT on this computer:"
    assert not lines[2].endswith("ms") and lines[3] == "wrote sheet.png"
    assert classify(photos / "a b.png", "--save", "sheet.png") == 0  # over the older sheet
    monkeypatch.setattr(files, "sha256", lambda data: "5a" * 32 if data == b"the model" else "0")
    assert classify(photos / "a b.png") == 1
    assert "build/toy/model.sqz: is not what manifest.json says; run: " in capsys.readouterr().err


def test_the_words_of_makes_variable(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("my cat.jpg", "cat.jpg", "it's.jpg"):
        (tmp_path / name).touch()
    assert pictures.words_of("my cat.jpg") == ["my cat.jpg"]  # the file of that name comes first
    assert pictures.words_of("cat.jpg 'my cat.jpg'") == ["cat.jpg", "my cat.jpg"]
    assert pictures.words_of("it's.jpg") == ["it's.jpg"]
    assert pictures.words_of("no it's.jpg") == ["no it's.jpg"]


@pytest.mark.parametrize("by_make", [True, False])
def test_python_takes_a_word_as_it_is(toy, url, photos, by_make, capsys, monkeypatch):
    monkeypatch.setattr(start, "by_make", lambda: by_make)
    (photos / "a b.png").rename(photos / "a.png")
    words = f"{photos}/a.png {photos}/a.png"
    assert classify("--image", words, "--port", url) == (0 if by_make else 1)


def test_folders_are_looked_through_and_the_sheet_is_no_picture(photos):
    Image.new("L", (9, 9)).save(photos / "sheet.png")
    found = pictures.find([str(photos), str(photos / "a b.png")], photos / "sheet.png")
    assert found.paths == [photos / "a b.png", photos / "broken.jpg", photos / "more" / ESC]


def run(logits, scale=0.5):
    values = np.array(logits, np.int8)
    made = manifest()
    made["output"] |= {"logits_scale": scale, "logits_zero_point": 0, "classes": len(values)}
    return Run(values, values, None), made


def test_a_network_that_ends_in_its_logits_has_probabilities_all_the_same(tmp_path):
    found, made = run([4, 2, -100])
    made["output"] |= {"softmax": False, "scale": 0.5, "zero_point": 0}
    shares = answers.probabilities(found, made)
    assert shares == pytest.approx([np.e / (np.e + 1), 1 / (np.e + 1), 0], abs=1e-9)
    assert answers.line(answers.answer(tmp_path, found, made)) == "0 73.1 %, 1 26.9 %, 2 0.0 %"


def test_of_equal_probabilities_the_logits_decide(tmp_path):
    found, made = run([1, 2, 0])
    tied = Run(found.logits, np.array([0, 0, -128], np.int8), 12.34)
    assert answers.line(answers.answer(tmp_path, tied, made)) == "1 50.0 %, 0 50.0 %, 2 0.0 %; 12.3 ms"


def test_one_output_is_a_number(tmp_path):
    found, made = run([64])
    made["output"] |= {"scale": 0.25, "zero_point": 0, "softmax": False}
    assert answers.line(answers.answer(tmp_path, found, made)) == "0 16"


@pytest.mark.parametrize(("count", "size"), [(1, 1), (3, 3), (5, 5), (6, 3), (40, 5), (130, 5)])
def test_the_sheet(photos, count, size):
    made = manifest(labels=["a very long name of a class that no line holds", *map(str, range(9))])
    classes = [answers.Class(i, top5.name_of(made, i), p) for i, p in enumerate((0.9, 0.1, 0.0))]
    given = [answers.Answer(photos / "a b.png", classes, 10, None)] * count
    drawn = sheet.drawn(made, "the emulated \x1b board", given)
    high, wide = drawn.height, drawn.width
    assert wide >= size * 224 and drawn.getpixel((2, high - 2)) == (255, 255, 255)
    assert high == pytest.approx(40 + (min(count, sheet.MOST) / size) * (224 + 21 + 66 + 8 + 18), abs=30)
    assert drawn.getpixel((22 + 112, 40 + 60)) == (0, 30, 200)  # the first picture

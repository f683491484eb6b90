"""What ship gathers, and what the card says of it: from records of no training, and of the shipped models."""

import io
import json
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from squeezenet_mcu.common import files, paths
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.model.card import card, card_tables, confusion, publish
from squeezenet_mcu.model.settings import config
from tests.manifests import engine_record
from tests.model import stage_records
from tests.model.card.shipping import Work, report, rows

ZOO = sorted(path.name for path in paths.ZOO.iterdir() if path.is_dir())
SHIPPED = [name for name in ZOO if (paths.ZOO / name / "quantized.keras").is_file()]


@pytest.fixture
def work(tmp_path):
    return Work(tmp_path)


CLUSTERS = ("[quantize]", "[cluster]\nepochs = 5\nclusters = 32\n[quantize]")


def test_metrics_hold_what_others_read(tmp_path):
    work = Work(tmp_path, [CLUSTERS])
    metrics = work.ship()
    assert metrics["sha256"] == files.sha256((work.zoo / "quantized.keras").read_bytes())
    assert metrics["tflite_sha256"] == files.sha256((work.zoo / "model.tflite").read_bytes())
    assert metrics["toml_sha256"] == files.sha256(work.toml.read_bytes())
    assert metrics["test_accuracy"] == 0.985 and metrics["test_images"] == 1000
    assert list(metrics["stages"]) == ["train", "prune", "cluster", "quantize", "dense"]
    train = metrics["stages"]["train"]
    assert train["reserve_accuracy"] == 0.99 and train["reserve_images"] == 500 and train["epochs"] == 40
    assert metrics["layers"]["conv1"]["guaranteed"] == {"zeros": 43, "values": 32, "block": None}
    assert metrics["converted"]["weights_stored_bytes"] == 9876
    assert metrics["validated"] is None and metrics["board"] is None
    assert not (work.zoo / "sensitivity.json").exists()
    assert Image.open(work.zoo / "curves.png").width == 1200


def test_a_record_of_version_0_1_0_gives_the_same_layers(tmp_path):
    """It called a guarantee a promise."""
    work = Work(tmp_path, [CLUSTERS])
    wanted = work.ship()["layers"]
    record = work.build / "quantize.json"
    text = record.read_text()
    assert '"guaranteed"' in text
    record.write_text(text.replace('"guaranteed"', '"promised"'))
    assert work.ship()["layers"] == wanted


def test_seconds_count_epochs_before_an_interruption(work):
    """A resumed stage's own clock starts anew: its epochs' speeds tell the rest."""
    stages = publish.gather(work.settings, work.build, None)["stages"]
    assert stages["train"]["seconds"] == 40 * 3200 / 1000  # more than its clock's 100.5
    assert stages["prune"]["seconds"] == round(101.5)  # more than 14 * 3.2


def test_sensitivity_and_firmware_figures_go_along(tmp_path):
    work = Work(tmp_path, [("sparsity = 0.5", 'sparsity = 0.5\nspread = "sensitivity"')])
    (work.build / "sensitivity.json").write_text("{}")
    noted = engine_record(
        made_from={
            "target": {"optimize": "flash"},
            "tflite_sha256": files.sha256((work.build / "model.tflite").read_bytes()),
        },
        arena_bytes=10_624,
        engine_model_bytes=69_560,
        weights_stored_bytes=65_424,
    )
    path = work.build / "firmware/stm32f405/model/engine.json"
    files.write_json(path, noted)
    metrics = work.ship(report(work))
    assert (work.zoo / "sensitivity.json").read_text() == "{}"
    text = work.card()
    assert "polynomial decay, spread by sensitivity; conv1 30 %" in text
    sizes = dict(rows(text, "Bytes and time"))
    assert sizes["stm32f405, made for flash: weights as stored"] == "65,424 B"
    assert sizes["stm32f405, made for flash: arena"] == "10,624 B"
    assert sizes["stm32f405: instructions an image"] == "1,234,567"
    assert sizes["stm32f405: SRAM in all, stack included"] == "15,452 B"
    assert "500 images: 0 of 10,000 int8 values differ from LiteRT's" in text
    assert metrics["board"]["engine_sha256"] == "e" * 64

    noted["made_from"]["tflite_sha256"] = "of another network"
    files.write_json(path, noted)
    assert publish.gather(work.settings, work.build, None)["board"] is None

    (tmp_path / "digits.toml").write_text(work.toml.read_text().replace('"sensitivity"', '"lamp"'))
    work.settings = config.load(work.toml)
    work.ship()
    assert not (work.zoo / "sensitivity.json").exists()
    assert "polynomial decay, spread by LAMP; conv1 30 %" in work.card()


def test_card_says_what_was_measured(tmp_path):
    work = Work(tmp_path, [CLUSTERS])
    work.ship()
    text = work.card()
    assert text.startswith("# digits: SqueezeNet for 10 classes, 28x28x1\n") and "\nKnows digits.\n" in text

    # Wilson's interval of 985 of 1,000, by hand: centre 0.98314, half-width 0.00773.
    found = {row[0]: row[1:] for row in rows(text, "Accuracy")}
    assert found["**int8**"] == [
        "98.67 % (96.6 to 99.5)", "98.40 % (96.9 to 99.2)", "98.50 % (97.5 to 99.1)"
    ]  # fmt: skip
    stages = ["float", "float, pruned", "float, clustered", "**int8**", "int8, dense baseline"]
    assert list(found) == ["top-1 (95 % interval, Wilson)", "---", *stages]
    assert "+0.00 points on validation, -0.40 points on reserve, -0.30 points on test" in text

    short = dict(rows(text, "In short"))
    # 2 of 500 and 3 of 1,000 images.
    assert short["against its dense baseline, on reserve and test"] == "-0.33 points"
    assert short["int8 top-1 on 500 reserve images (95 % interval)"] == "98.40 % (96.9 to 99.2)"
    assert short["weights, as the engine stores them"] == "9,876 B"
    assert short["multiply-accumulates an image"] == f"{49 * 15_504:,}"
    assert short["SRAM, the engine's arena"] == "4,704 B"
    zeros = sum(
        layer["zeros"] for layer in json.loads((work.zoo / "metrics.json").read_text())["layers"].values()
    )
    assert short["zeros among the weights"] == f"{100 * zeros / 15_504:.1f} %"

    split = {row[0]: row[1] for row in rows(text, "Split")}
    assert [split[part] for part in ("training", "validation", "reserve", "test")] == [
        "3,200",
        "300",
        "500",
        "1,000",
    ]
    assert ["conv1", "144", "50", "34.7 %", "43", "30", "32"] in rows(
        text, "Zeros and different weights in the .tflite"
    )
    assert ["fire5_expand3x3", "CONV_2D", "3x3", "7x7x32", "4,608", "225,792"] in rows(text, "Network")
    assert ["all", "", "", "", "15,504", "759,696"] in rows(text, "Network")
    assert ["cluster", "5", "0.01", "at most 32 different weights a layer", "102"] in rows(text, "Schedule")
    assert ["1", "3", "15 of 100"] in rows(text, "Confusion") and "Worst known: 1, 85.00 %" in text
    assert "make convert MODEL=digits\nmake zoo MODEL=digits\n" in text
    assert "(128 + 102 + 102 + 104 + 104 seconds: train, prune, cluster, quantize, dense)" in text
    assert "on 2 cores of a test." in text
    for name in ("quantized.keras", "model.tflite"):
        assert [f"`{name}`", f"`{files.sha256((work.zoo / name).read_bytes())}`"] in rows(text, "Files")
    assert re.findall(r"!\[[^]]*\]\((.*?)\)", text) == ["curves.png", "confusion.png"]
    assert all((work.zoo / name).is_file() for name in ("curves.png", "confusion.png"))
    picture = (work.zoo / "confusion.png").read_bytes()
    assert work.card() == text and (work.zoo / "confusion.png").read_bytes() == picture


def test_card_without_baseline_or_reserve(work):
    (work.build / "dense.json").unlink()
    for name in ("train", "prune", "quantize"):
        record = json.loads((work.build / f"{name}.json").read_text())
        files.write_json(
            work.build / f"{name}.json", {k: v for k, v in record.items() if not k.startswith("reserve")}
        )
    text = work.text()
    assert "baseline" not in text.split("## Make it again")[0] and "reserve" not in text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([("batch = 64", "batch = 64\nvalidation_block = 30")],
         "Images are held out of each class in whole tracks: runs of 30 in their order"),
        ([("sparsity = 0.5\nlayers = { conv1 = 0.3 }", 'pattern = "2:4"\nchannels = 0.25')],
         "25 % of the fires' channels removed; 2 zeros in every 4 input channels"),
        ([("[prune]", '[distill]\nteacher = "float"\nweight = 0.6\n[prune]')],
         "The stages after train are taught by the float network (distillation): 60 % of the loss, at"),
        ([("[prune]", '[distill]\nteacher = "float"\nmirror = true\n[prune]'), ("shift = 2", "flip = true")],
         "at temperature 4, by the mean of its answers for an image and its mirror image."),
        ([("[prune]", '[distill]\nteacher = "gtsrb"\n[prune]')], "make zoo MODEL=digits TEACHER=gtsrb\n"),
        ([('source = "digits"', 'source = ""')], "make zoo MODEL=digits DATA=digits.npz\n"),
        ([("epochs = 6", "epochs = 0")], "post-training quantization that keeps zeros and clusters"),
        ([("shift = 2", "flip = true\nlabel_smoothing = 0.1")],
         "label smoothing 0.1, seed 1. Augmentation: rotation by up to 12 degrees, zoom by up to 12 %, mirr"),
    ],
)  # fmt: skip
def test_card_tells_the_settings(tmp_path, changes, words):
    work = Work(tmp_path, changes)
    assert words in work.text()


def test_ship_refuses_what_does_not_belong_together(work):
    work.ship()
    before = (work.zoo / "metrics.json").read_bytes()

    manifest = (work.build / "manifest.json").read_text()
    work.change("manifest", tflite_sha256="0" * 64)
    with pytest.raises(UserError, match=r"manifest.json: missing, or of another .tflite.*python -m convert"):
        work.ship()
    (work.build / "manifest.json").write_text(manifest)

    (work.build / "model.tflite").write_bytes(b"another")
    with pytest.raises(UserError, match=r"of another .tflite than [0-9a-f]{64}"):
        work.ship()
    stage_records.write(work.settings, work.build)

    (work.build / "quantized.keras").write_bytes(b"another")
    with pytest.raises(UserError, match=r"quantized.keras: missing, or not the one its record is of"):
        work.ship()
    stage_records.write(work.settings, work.build)

    work.change("prune", output_sha256="0" * 64)
    with pytest.raises(
        UserError, match=r"quantize.json: missing, or of another network than the stage before"
    ):
        work.ship()
    stage_records.write(work.settings, work.build)

    work.change("prune", epochs=1)
    with pytest.raises(UserError, match=r"prune.json: 1 epochs; .*digits.toml says 14"):
        work.ship()
    stage_records.write(work.settings, work.build)

    work.change("train", init="gtsrb: 3 of 9 layers")
    with pytest.raises(UserError, match=r"train.json: began from other weights .*digits.toml --fresh"):
        work.ship()
    stage_records.write(work.settings, work.build)

    work.change("dense", input_sha256="of other float weights")
    assert "dense" not in publish.gather(work.settings, work.build, None)["stages"]
    assert (work.zoo / "metrics.json").read_bytes() == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_sha256": "f" * 64}, r"validated.json: of model f{64}; want [0-9a-f]{64}"),
        ({"differing_values": 3}, r"validated.json: 3 int8 values differ on the device; want 0"),
    ],
)
def test_ship_refuses_a_validation_that_failed(work, changes, message):
    with pytest.raises(UserError, match=message):
        work.ship(report(work, **changes))
    assert not (work.zoo / "metrics.json").exists()


def test_ship_refuses_a_file_that_is_no_report(work, tmp_path):
    with pytest.raises(UserError, match=r"none.json: missing; want what python -m host_tools validate"):
        work.ship(tmp_path / "none.json")


def test_card_refuses_what_does_not_belong_together(work):
    work.ship()
    weights = (work.zoo / "quantized.keras").read_bytes()
    (work.zoo / "quantized.keras").write_bytes(b"others")
    with pytest.raises(
        UserError, match=r"quantized.keras: SHA-256 [0-9a-f]{64}; .*metrics.json is of [0-9a-f]{64}"
    ):
        work.card()
    (work.zoo / "quantized.keras").write_bytes(weights)

    work.toml.write_text(work.toml.read_text() + "\n# as good as new\n")
    with pytest.raises(UserError, match=r"digits.toml: SHA-256 .*; run: make zoo MODEL=digits"):
        work.card()
    work.ship()
    (work.zoo / "about.md").unlink()
    with pytest.raises(UserError, match=r"about.md: missing; want in it, in Markdown"):
        work.card()
    metrics = json.loads((work.zoo / "metrics.json").read_text())
    del metrics["stages"]["prune"]["validation_accuracy"]
    files.write_json(work.zoo / "metrics.json", metrics)
    with pytest.raises(UserError, match=r"stages: want known ones, all scored on the same images; run"):
        work.card()
    del metrics["stages"]
    files.write_json(work.zoo / "metrics.json", metrics)
    with pytest.raises(UserError, match=r"metrics.json: the whole: stages is missing; run: make zoo"):
        work.card()
    (work.zoo / "metrics.json").unlink()
    with pytest.raises(UserError, match=r"metrics.json: missing; run: make zoo"):
        work.card()
    assert not (work.zoo / "README.md").exists()


def test_worst_confusions():
    table = [[5, 1, 0], [2, 3, 4], [0, 0, 0]]
    assert confusion.worst(table) == [
        confusion.Mistake(1, 2, 4, 9), confusion.Mistake(1, 0, 2, 9), confusion.Mistake(0, 1, 1, 6)
    ]  # fmt: skip
    assert confusion.worst(table, 1) == [confusion.Mistake(1, 2, 4, 9)]
    assert confusion.recall(table) == [5 / 6, 3 / 9, None]


@pytest.mark.parametrize("classes", [2, 10, 43])
def test_confusion_picture(tmp_path, classes):
    table = [[0 if label != taken else 50 for taken in range(classes)] for label in range(classes)]
    table[0] = [3] * classes
    path = tmp_path / "confusion.png"
    names = [f"class {n}" for n in range(classes)]
    confusion.draw(table, names, "of a test", path)
    content = path.read_bytes()
    picture = Image.open(io.BytesIO(content))
    assert not picture.text and min(picture.size) > 150
    assert picture.width > picture.height or classes == 2
    blue = np.asarray(picture.convert("RGB")).astype(int)
    assert ((blue[..., 2] - blue[..., 0]) > 60).mean() > 0.005
    table[1][0] += 20
    confusion.draw(table, names, "of a test", path)
    assert path.read_bytes() != content


def test_table():
    assert card_tables.table(("a", "b"), [("1", "2")], right=(1,)) == "| a | b |\n| --- | ---: |\n| 1 | 2 |"


@pytest.mark.parametrize("name", ZOO)
def test_every_shipped_model_tells_its_data_and_limits(name):
    about = (paths.ZOO / name / "about.md").read_text()
    assert "\n## Data\n" in about and "\n## Limits\n" in about


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_cards_are_what_the_command_writes(name, tmp_path):
    shipped = paths.ZOO / name
    copy = tmp_path / name
    shutil.copytree(shipped, copy)
    card.write(config.load(name), copy)
    assert (copy / "README.md").read_text() == (shipped / "README.md").read_text()
    pictures = [
        np.asarray(Image.open(folder / "confusion.png").convert("L"), float) for folder in (copy, shipped)
    ]
    assert pictures[0].shape == pictures[1].shape
    assert np.abs(pictures[0] - pictures[1]).mean() < 1  # other processors may round a pixel otherwise
    assert (shipped / "curves.png").is_file()

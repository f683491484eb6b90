"""Train, prune, quantize, as a user runs them, on a few digits: resume, and the zeros in the .tflite."""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from squeezenet_mcu.common.data import sources
from squeezenet_mcu.common.data.splits import Set
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.tf import keras
from squeezenet_mcu.model.compress import guarantees
from squeezenet_mcu.model.distributed.workers import Alone
from squeezenet_mcu.model.network import keras_files, to_tflite
from squeezenet_mcu.model.network.squeezenet import build
from squeezenet_mcu.model.settings import config
from squeezenet_mcu.model.train.chain import described
from squeezenet_mcu.model.train.checkpoint import restore
from squeezenet_mcu.model.train.distill import teacher_file
from squeezenet_mcu.model.train.loop import fit
from squeezenet_mcu.model.train.records import other_settings
from tests.model import tiny

ROOT = Path(__file__).resolve().parents[3]
TINY = """
name = "tiny"
[input]
height = 16
width = 16
channels = 1
[architecture]
family = "small"
classes = 4
bypass = "complex"
conv1 = { filters = 8, kernel = 3, stride = 2 }
stages = [[4, 8, 8], "pool", [4, 8, 8]]
[train]
epochs = 4
batch = 16
shift = 1
rotate = 5
[prune]
epochs = 2
sparsity = 0.6
layers = { conv1 = 0.25 }
[quantize]
epochs = 1
"""


def command(stage: str, *more: str) -> list[str]:
    only = ["--only"] if stage == "train" else []
    return [
        sys.executable,
        "-m",
        "model",
        stage,
        "--model",
        "tiny.toml",
        "--data",
        "digits.npz",
        *only,
        *more,
    ]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "CUDA_VISIBLE_DEVICES": "-1"}


def run(folder: Path, stage: str, *more: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        command(stage, *more), cwd=folder, env=environment(), capture_output=True, text=True, check=False
    )


def epochs(output: str) -> list[str]:
    return [line.split(":")[0] for line in output.splitlines() if ": loss" in line]


def folder_with_data(folder: Path) -> Path:
    arrays = {}
    for split, limit in (("train", 400), ("test", 100)):
        digits = sources.load("digits", split, 16, 16, 1, limit=limit)
        few = digits.y < 4
        arrays[f"x_{split}"], arrays[f"y_{split}"] = digits.x[few], digits.y[few]
    np.savez(folder / "digits.npz", **arrays)
    (folder / "tiny.toml").write_text(TINY)
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> tuple[Path, list[str]]:
    """A folder in which training was interrupted by Ctrl-C after its first epoch, then run again."""
    folder = folder_with_data(tmp_path_factory.mktemp("work"))
    process = subprocess.Popen(
        command("train"), cwd=folder, env=environment(), stdout=subprocess.PIPE, text=True,
        stderr=subprocess.PIPE, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )  # fmt: skip
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("train 1/4"):
            break
    checkpoint = folder / "build/tiny/checkpoints/train.npz"
    deadline = time.monotonic() + 20
    while not checkpoint.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=60)
    first = "".join(lines) + rest
    assert process.returncode == 130, errors
    assert "the same command goes on from there" in first
    assert "Traceback" not in errors
    second = run(folder, "train")
    assert second.returncode == 0, second.stderr
    return folder, [first, second.stdout]


def test_resumes_where_it_was_interrupted(trained):
    folder, (first, second) = trained
    done = len(epochs(first))
    assert 1 <= done < 4
    # An interruption between an epoch's line and its checkpoint loses that epoch: then it is run again.
    resumed = epochs(second)
    assert resumed in ([f"train {n}/4" for n in range(k + 1, 5)] for k in (done, done - 1))
    assert "resuming after epoch" in second
    record = json.loads((folder / "build/tiny/train.json").read_text())
    assert [entry["epoch"] for entry in record["history"]] == [1, 2, 3, 4]
    assert not (folder / "build/tiny/checkpoints/train.npz").exists()


def test_resumed_training_equals_an_uninterrupted_one(trained, tmp_path):
    folder, _ = trained
    other = folder_with_data(tmp_path)
    assert run(other, "train").returncode == 0
    losses = [
        [entry["loss"] for entry in json.loads((place / "build/tiny/train.json").read_text())["history"]]
        for place in (folder, other)
    ]
    assert losses[0] == losses[1]
    one, two = (keras_files.load(place / "build/tiny/float.keras") for place in (folder, other))
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        assert (a == b).all()


def test_nothing_to_do_the_second_time(trained):
    folder, _ = trained
    before = (folder / "build/tiny/float.keras").read_bytes()
    again = run(folder, "train")
    assert again.returncode == 0 and "up to date" in again.stdout and not epochs(again.stdout)
    assert (folder / "build/tiny/float.keras").read_bytes() == before


def test_prune_and_quantize_keep_their_promises(trained):
    folder, _ = trained
    pruned = run(folder, "prune")
    assert pruned.returncode == 0, pruned.stderr
    quantized = run(folder, "quantize")
    assert quantized.returncode == 0, quantized.stderr
    build = folder / "build/tiny"
    model = to_tflite.load_quantized(build / "quantized.keras")
    tflite = to_tflite.to_int8_tflite(model)
    assert to_tflite.to_int8_tflite(model) == tflite
    kernels = to_tflite.tflite_kernels(tflite)
    zeros = {name: guarantees.look(kernel) for name, kernel in kernels.items()}
    fires = {f"fire{n}_{part}" for n in (2, 3) for part in ("squeeze1x1", "expand1x1", "expand3x3")}
    assert set(zeros) == {"conv1", "conv10", "fire2_bypass1x1"} | fires
    for name, seen in zeros.items():
        assert seen.zeros >= int((0.25 if name == "conv1" else 0.6) * seen.weights), name
        assert seen.zeros < seen.weights, name
    record = json.loads((build / "quantize.json").read_text())
    assert {name: layer["zeros"] for name, layer in record["layers"].items()} == {
        name: z.zeros for name, z in zeros.items()
    }
    test = sources.load(str(folder / "digits.npz"), "test", 16, 16, 1)
    assert record["test_accuracy"] == round(
        float((to_tflite.predictions(tflite, test.x) == test.y).mean()), 6
    )
    assert record["test_accuracy"] > 0.5  # four classes; it did learn


def test_another_schedule_than_the_checkpoint_s_is_refused(trained):
    folder, _ = trained
    checkpoint = folder / "build/tiny/checkpoints/train.npz"
    checkpoint.parent.mkdir(exist_ok=True)
    np.savez(
        checkpoint,
        meta=np.array(
            json.dumps(
                {
                    "fingerprint": "other",
                    "history": [{"epoch": 1, "loss": 1.0, "accuracy": 0.5, "images_per_s": 9}],
                }
            )
        ),
    )
    with pytest.raises(
        UserError, match="other settings or data than these; restore them, or start over with --fresh"
    ):
        restore(checkpoint, "mine", [], 9)
    checkpoint.write_bytes(b"junk")
    with pytest.raises(UserError, match=r"train.npz: not a readable checkpoint .*--fresh"):
        restore(checkpoint, "mine", [], 9)
    checkpoint.unlink()
    assert restore(checkpoint, "mine", [], 9) == []


@pytest.mark.parametrize(
    ("stage", "more", "message"),
    [
        (
            "prune",
            ["--model", "other.toml"],
            "build/other/float.keras: no such file; run first: python -m model train",
        ),
        ("train", ["--epochs", "0"], "--epochs 0: want a whole number from 1 to 10000"),
        ("train", ["--data", "random"], 'data "random" has no classes to learn'),
        ("train", ["--data", "none"], "none: no such data"),
    ],
)
def test_mistakes(trained, stage, more, message):
    folder, _ = trained
    (folder / "other.toml").write_text(TINY.replace('"tiny"', '"other"'))
    done = run(folder, stage, *more)
    assert done.returncode == 1
    assert f"python -m model {stage}: error: " in done.stderr and message in done.stderr
    assert "Traceback" not in done.stderr


CHAIN = TINY.replace('"tiny"', '"chain"').replace(
    TINY[TINY.index("[prune]") : TINY.index("[quantize]")],
    """
[distill]
teacher = "float"
[prune]
epochs = 1
pattern = "2:4"
channels = 0.25
layers = { conv1 = 0 }
[cluster]
clusters = 16
epochs = 1
""",
)


def test_records_of_other_settings(tmp_path):
    def of(text: str) -> config.Config:
        (tmp_path / "tiny.toml").write_text(TINY.replace("[prune]", text + "[prune]"))
        return config.load(tmp_path / "tiny.toml")

    alone, taught = of("flip = true\n"), of('flip = true\n[distill]\nteacher = "float"\n')
    mirrored = of('flip = true\n[distill]\nteacher = "float"\nmirror = true\n')
    records = json.loads(json.dumps([{"settings": described(s, "prune")} for s in (alone, taught, mirrored)]))
    assert "mirror" not in records[1]["settings"]["distill"]  # as before there was one
    for record, settings in zip(records, (alone, taught, mirrored), strict=True):
        assert other_settings(record, settings, "prune") == ""
    assert other_settings(records[0], taught, "prune") == (
        "teacher not set, the TOML float; weight not set, the TOML 0.7; temperature not set, the TOML 4.0"
    )
    assert "weight 0.7, the TOML not set" in other_settings(records[1], alone, "prune")
    assert other_settings(records[1], mirrored, "prune") == "mirror not set, the TOML true"
    # The teacher itself has none.
    record = json.loads(json.dumps({"settings": described(alone, "train")}))
    assert other_settings(record, mirrored, "train") == ""
    with pytest.raises(
        UserError, match=r'teacher = "float": .*float.keras: no such file; .*tiny.toml --only'
    ):
        teacher_file(taught, "quantize", tmp_path)


@pytest.mark.long
def test_the_whole_chain_and_its_dense_baseline(trained):
    folder, _ = trained
    (folder / "chain.toml").write_text(CHAIN + "[data]\nreserve = 0.2\n")
    model = ["--model", "chain.toml", "--data", "digits.npz"]
    whole = [sys.executable, "-m", "model", "train", *model]
    done = subprocess.run(whole, cwd=folder, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "prune: taught by build/chain/float.keras" in done.stdout
    build = folder / "build/chain"
    records = {
        name: json.loads((build / f"{name}.json").read_text())
        for name in ("train", "prune", "cluster", "quantize")
    }
    for record in records.values():
        assert record["reserve_images"] > 30 and record["validation_images"] > 10
        assert record["reserve_images"] + record["validation_images"] + record["train_images"] == len(
            sources.load(str(folder / "digits.npz"), "train", 16, 16, 1).y
        )
    assert records["prune"]["channels"]["fire2_squeeze1x1"] == [4, 3]
    assert records["prune"]["parameters"] < records["train"]["parameters"]
    assert all(layer["values"] <= 16 for layer in records["cluster"]["layers"].values())
    tflite = to_tflite.to_int8_tflite(to_tflite.load_quantized(build / "quantized.keras"))
    for name, kernel in to_tflite.tflite_kernels(tflite).items():
        assert len(np.unique(kernel)) <= 16, name
        assert name == "conv1" or guarantees.blocks_kept(kernel, (2, 4)), name
    confusion = np.array(records["quantize"]["confusion"])
    assert confusion.sum() == records["quantize"]["test_images"]
    assert np.trace(confusion) / confusion.sum() == pytest.approx(
        records["quantize"]["test_accuracy"], abs=1e-6
    )

    again = subprocess.run(whole, cwd=folder, env=environment(), capture_output=True, text=True, check=False)
    assert again.stdout.count("is up to date") == 4
    baseline = run(folder, "quantize", *model, "--dense", "--epochs", "0")
    assert baseline.returncode == 0, baseline.stderr
    record = json.loads((build / "dense.json").read_text())
    assert record["history"] == [] and record["parameters"] > records["quantize"]["parameters"]
    assert all(layer["zeros"] < layer["weights"] / 4 for layer in record["layers"].values())


@pytest.mark.long
def test_other_test_images_are_scored_without_training(trained):
    folder, _ = trained
    record = folder / "build/tiny/train.json"
    before = json.loads(record.read_text())
    with np.load(folder / "digits.npz") as file:
        arrays = dict(file)
    np.savez(folder / "other.npz", **{**arrays, "y_test": (arrays["y_test"] + 1) % 4})
    done = run(folder, "train", "--data", "other.npz")
    assert "other test images than before: scored anew" in done.stdout and not epochs(done.stdout)
    after = json.loads(record.read_text())
    assert after["test_accuracy"] < 0.4 < before["test_accuracy"]
    assert after["validation_accuracy"] == before["validation_accuracy"]
    assert run(folder, "train").returncode == 0
    assert json.loads(record.read_text()) == before


def test_a_network_of_other_settings_than_the_toml_s_is_not_gone_on_with(trained):
    folder, _ = trained
    text = (folder / "tiny.toml").read_text()
    (folder / "tiny.toml").write_text(text.replace("rotate = 5", "rotate = 6"))
    done = run(folder, "prune")
    (folder / "tiny.toml").write_text(text)
    assert done.returncode == 1
    assert "train.json: made with rotate 5.0, the TOML 6.0; run first: python -m model train" in done.stderr


def test_nothing_starts_from_a_network_that_knows_the_images_kept_for_the_end(trained):
    folder, _ = trained
    text = TINY.replace('"tiny"', '"other"').replace("[train]", "[data]\nreserve = 0.2\n[train]")
    (folder / "other.toml").write_text(text)
    done = run(folder, "train", "--model", "other.toml", "--init", "build/tiny/float.keras")
    assert done.returncode == 1 and not (folder / "build/other").exists()
    assert (
        "build/tiny/float.keras: trained on digits.npz with reserve = 0, validation_block = 1; other.toml "
        "says 0.2, 1: it has learnt from images that are for the end" in done.stderr
    )


def test_a_stage_that_the_toml_does_not_ask_for(trained):
    folder, _ = trained
    done = run(folder, "cluster")
    assert done.returncode == 1
    assert "tiny.toml: [cluster] clusters 0: there is nothing to cluster; want more than 0" in done.stderr


class OneTower(Alone):
    towers = 1


def test_two_towers_compute_what_one_does(tmp_path):
    mine = tiny.settings()
    mine = dataclasses.replace(mine, architecture=dataclasses.replace(mine.architecture, batch_norm=False))
    # An odd batch: halves of 33 and 34 images, whose gradients count by their images.
    images = Set(np.concatenate([tiny.X, tiny.X[:3]]), np.concatenate([tiny.Y, tiny.Y[:3]]))
    weights, losses = [], []
    for number, team in enumerate((OneTower(), Alone())):
        keras.utils.set_random_seed(1)
        model = build(mine)
        history = fit(tiny.job(model, tmp_path / str(number), 4, batch=67, images=images, team=team))
        weights.append(model.get_weights())
        losses.append([entry["loss"] for entry in history])
    assert losses[0][-1] != losses[0][0]
    # The same sums in another order.
    np.testing.assert_allclose(losses[0], losses[1], rtol=0, atol=2e-5)
    for one, two in zip(*weights, strict=True):
        np.testing.assert_allclose(one, two, rtol=0, atol=1e-5)


def test_small_batches_are_not_halved(tmp_path):
    """Batch norm would see too few images: the moving averages tell how often it was asked."""
    updates = {}
    for batch in (63, 64):
        keras.utils.set_random_seed(1)
        model = build(tiny.settings())
        norm = model.get_layer("conv1_bn")
        norm.momentum = 0.5
        seen = norm.moving_mean.numpy()
        fit(tiny.job(model, tmp_path / str(batch), 1, batch=batch))
        updates[batch] = norm.moving_mean.numpy() - seen
    # From 0: half of the mean after one update, three quarters after two.
    assert np.median(updates[64] / updates[63]) == pytest.approx(1.5, abs=0.15)

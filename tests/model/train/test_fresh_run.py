"""--fresh that was interrupted goes on from its own checkpoint; any other checkpoint goes."""

import argparse
from types import SimpleNamespace

import numpy as np
import pytest

from squeezenet_mcu.common import files
from squeezenet_mcu.model.commands import cluster, prune, quantize, train
from squeezenet_mcu.model.train import checkpoint, fresh_run, runner
from squeezenet_mcu.model.train.fresh_run import FreshRun

EPOCH = {"epoch": 1, "loss": 1.0, "accuracy": 0.5, "images_per_s": 9}


class Variable:
    """As TensorFlow's, as far as checkpoints look."""

    shape = (2,)

    def __init__(self):
        self.value = np.zeros(2)

    def numpy(self):
        return self.value


# One stage


@pytest.mark.parametrize(
    ("begun", "fingerprint", "kept"),
    [(True, "mine", True), (False, "mine", False), (True, "other", False), (None, "mine", False)],
)
def test_only_the_checkpoint_of_an_interrupted_fresh_run_is_kept(tmp_path, begun, fingerprint, kept):
    path = tmp_path / "train.npz"
    if begun is None:
        path.write_bytes(b"damaged")
    else:
        checkpoint.save(path, fingerprint, [EPOCH], [Variable()], begun)
    stage = SimpleNamespace(fresh=True, checkpoint=path, fingerprint="mine")
    assert checkpoint.begun_fresh(path, "mine") is kept
    assert runner.is_done(stage) is False and path.exists() is kept


def test_a_checkpoint_of_before_it_was_noted(tmp_path):
    path = tmp_path / "train.npz"
    np.savez(path, meta=np.array('{"fingerprint": "mine", "history": []}'))
    assert not checkpoint.begun_fresh(path, "mine")


def test_a_result_ends_the_fresh_run(tmp_path):
    """Killed between the record and the checkpoint's end: --fresh does not go on from that, once seen."""
    path, output, record = tmp_path / "train.npz", tmp_path / "float.keras", tmp_path / "train.json"
    checkpoint.save(path, "mine", [EPOCH], [Variable()], True)
    output.write_bytes(b"weights")
    files.write_json(
        record,
        {
            "test_accuracy": 0.5, "test_images": 2, "train_images": 8, "parameters": 9, "epochs": 1,
            "seconds": 1.0, "machine": "x", "output_sha256": files.sha256(b"weights"),
            "fingerprint": "mine", "history": [], "training_accuracy": 0.5,
        },
    )  # fmt: skip
    stage = SimpleNamespace(
        name="train",
        fresh=False,
        checkpoint=path,
        fingerprint="mine",
        output=output,
        record=record,
        test_sha256="",
    )
    assert runner.is_done(stage) is True and not path.exists()


# All stages


@pytest.fixture
def stages(tmp_path, monkeypatch):
    """Runs train with stages that note whether they start over; one of them can be interrupted."""
    monkeypatch.chdir(tmp_path)
    seen = []

    def run(*words, stop=None):
        seen.clear()

        def stage(name):
            def noted(args, *_):
                seen.append(f"{name}{' again' if args.fresh else ''}")
                if name == stop:
                    raise KeyboardInterrupt

            return noted

        monkeypatch.setattr(train, "_train", stage("train"))
        for module in (prune, cluster, quantize):
            monkeypatch.setattr(module, "run", stage(module.NAME))
        parser = argparse.ArgumentParser()
        train.add_arguments(parser)
        args = parser.parse_args(["--model", "small", *words])
        if stop:
            with pytest.raises(KeyboardInterrupt):
                train.run(args)
        else:
            train.run(args)
        return [*seen]

    return run


def test_the_same_line_goes_on_with_the_stage_that_was_interrupted(stages):
    assert stages("--data", "d", "--fresh", stop="quantize") == [
        "train again",
        "prune again",
        "quantize again",
    ]
    assert stages("--data", "d", "--fresh", stop="quantize") == ["train", "prune", "quantize again"]
    assert stages("--data", "d", "--fresh") == ["train", "prune", "quantize again"]
    assert stages("--data", "d", "--fresh") == ["train again", "prune again", "quantize again"]


def test_another_line_starts_over(stages):
    stages("--data", "d", "--fresh", stop="prune")
    assert stages("--data", "e", "--fresh", stop="train") == ["train again"]
    stages("--data", "d", "--fresh", stop="prune")
    assert stages("--data", "d", "--fresh", "--only") == ["train again"]


def test_without_fresh_nothing_is_made_again(stages, tmp_path):
    stages("--data", "d", "--fresh", stop="prune")
    assert stages("--data", "d") == ["train", "prune", "quantize"]


def test_a_result_of_another_command_ends_it_too(stages, tmp_path):
    """runner.finish does this as the last stage's network is written."""
    stages("--data", "d", "--fresh", stop="quantize")
    fresh_run.forget(tmp_path / "build/small")
    assert stages("--data", "d", "--fresh", stop="train") == ["train again"]


@pytest.mark.parametrize("content", ["", "[]", '{"line": 5, "finished": []}', "{"])
def test_a_damaged_note_starts_over(tmp_path, content):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints/fresh.json").write_text(content)
    run = FreshRun(tmp_path, argparse.Namespace(data="d"))
    assert not run.has_finished("train")
    run.finish("train")
    assert FreshRun(tmp_path, argparse.Namespace(data="d")).has_finished("train")
    assert not FreshRun(tmp_path, argparse.Namespace(data="e")).has_finished("train")

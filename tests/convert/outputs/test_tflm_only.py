"""`convert --engine tflm`: a .tflite that our engine refuses gets all that TensorFlow Lite Micro needs."""

import argparse
import json

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.litert import Reference
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.outputs import tflm_arena, tflm_only
from squeezenet_mcu.convert.outputs.tflm_operators import RESOLVER_METHODS
from squeezenet_mcu.host_tools.studies import evaluate
from tests.convert.lowering.test_operators import edited
from tests.convert.outputs.tflm_nets import CLASSES, MACS, dense_tflite
from tests.convert.test_command import run

TFLM = ("--engine", "tflm")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with dense.tflite; what our engine's model of another network left stands in build/dense/."""
    folder = tmp_path_factory.mktemp("tflm_only")
    (folder / "dense.tflite").write_bytes(dense_tflite())
    (folder / "names.txt").write_text("\n".join(f"class {i}" for i in range(CLASSES)))
    (folder / "build" / "dense").mkdir(parents=True)
    for name in ("model.sqz", "model_sqz.c", "model_sqz.h"):
        (folder / "build" / "dense" / name).write_text("of an earlier conversion")
    return folder


@pytest.fixture(scope="module")
def converted(place):
    done = run(place, "--tflite", "dense.tflite", "--labels", "names.txt", *TFLM)
    assert done.returncode == 0, done.stderr
    return place / "build" / "dense", done.stdout


def test_our_engine_refuses_it(place):
    done = run(place, "--tflite", "dense.tflite", "--model", "ours")
    assert done.returncode == 1
    assert "MUL of two maps" in done.stderr
    assert not (place / "build" / "ours").exists()


def test_the_artefacts_are_of_tflm_alone(converted):
    folder, printed = converted
    wanted = {"model.tflite", "model_tflite.c", "model_tflite.h", "model_settings.h", "golden.npz"}
    assert {path.name for path in folder.iterdir()} == wanted | {"manifest.json"}
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["engine"], manifest["engine_sha256"], manifest["macs"]) == ("tflm", None, MACS)
    assert set(manifest["files"]) == wanted
    lines = [line for line in printed.splitlines() if not line.startswith("note:")]
    assert len(lines) == 1
    assert "for TensorFlow Lite Micro alone" in lines[0]
    assert "python -m host_tools validate --engine tflm --model dense" in lines[0]


def test_the_settings_name_tflms_operators(converted):
    header = (converted[0] / "model_settings.h").read_text()
    methods = ("AddConv2D", "AddFullyConnected", "AddLogistic", "AddMean", "AddMul", "AddSoftmax")
    assert all(f"X({method})" in header for method in methods)
    assert f"#define MODEL_OP_COUNT {len(methods)}\n" in header
    assert "#define MODEL_INT8_KERNELS 1\n" in header
    assert "#define MODEL_ARENA_BYTES" not in header
    assert "None" not in header


def test_the_golden_pair_is_litert_s(converted):
    manifest = json.loads((converted[0] / "manifest.json").read_text())
    golden = np.load(converted[0] / "golden.npz")
    reference = Reference.of(manifest, dense_tflite())
    logits, probabilities = reference.infer(golden["input"], manifest["output"]["logits_tensor"])
    assert np.array_equal(golden["logits"], logits)
    assert np.array_equal(golden["probabilities"], probabilities)
    assert len(set(logits.tolist())) > 1


def test_evaluate_says_that_it_has_no_model_of_ours(converted, monkeypatch):
    monkeypatch.chdir(converted[0].parents[1])
    with pytest.raises(UserError, match="dense is converted for TFLite Micro alone"):
        evaluate.run(cli_arguments(evaluate, "--model", "dense"))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--model", "digits"], "--engine tflm goes with --tflite"),
        (["--tflite", "dense.tflite", "--data", "digits"], "--engine tflm takes no --data"),
        (["--tflite", "dense.tflite", "--package", "cmake"], "--engine tflm takes no --package"),
        (["--tflite", "dense.tflite", "--weight-bits", "7"], "--weight-bits goes with"),
        (["--tflite", "dense.tflite", "--labels", "two.txt"], "2 class names; the model has 5 classes"),
    ],
)
def test_mistakes_are_one_line(tmp_path, arguments, says):
    (tmp_path / "dense.tflite").write_bytes(dense_tflite())
    (tmp_path / "two.txt").write_text("a\nb\n")
    done = run(tmp_path, *arguments, *TFLM)
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.glob("build/*/*"))


def cli_arguments(command, *words):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args(words)


def refused(edit):
    with pytest.raises(UserError) as raised:
        tflm_only.check(tflite_file.parse(edited(dense_tflite(), edit)))
    assert "\n" not in str(raised.value)
    return str(raised.value)


def operator(model, name):
    """The operator of this name."""
    code = getattr(schema.BuiltinOperator, name)
    kinds = [entry.builtinCode for entry in model.operatorCodes]
    return next(op for op in model.subgraphs[0].operators if kinds[op.opcodeIndex] == code)


def test_what_tflm_cannot_take_is_named():
    def unknown(model):
        entry = model.operatorCodes[operator(model, "LOGISTIC").opcodeIndex]
        entry.builtinCode = entry.deprecatedBuiltinCode = schema.BuiltinOperator.LSTM

    def two_outputs(model):
        model.subgraphs[0].outputs = [*model.subgraphs[0].outputs, operator(model, "MEAN").outputs[0]]

    def float_input(model):
        graph = model.subgraphs[0]
        graph.tensors[graph.inputs[0]].type = schema.TensorType.FLOAT32

    def map_as_output(model):
        model.subgraphs[0].outputs = [operator(model, "LOGISTIC").outputs[0]]

    def no_scale(model):
        model.subgraphs[0].tensors[model.subgraphs[0].inputs[0]].quantization.scale = None

    assert "op 1 LSTM, tensor" in refused(unknown)
    assert "TensorFlow Lite Micro does not have it" in refused(unknown)
    assert "1 inputs, 2 outputs; wanted 1 and 1" in refused(two_outputs)
    assert "FLOAT32; wanted int8 [1, height, width, channels]" in refused(float_input)
    assert "wanted int8 [1, classes]" in refused(map_as_output)
    assert "wanted a scale and a zero point" in refused(no_scale)


def test_kernels_for_int8_alone_are_for_int8_alone():
    """With int16 activations or int4 weights in one operator the plain registrations must be taken."""

    def typed(name, place, kind):
        def edit(model):
            model.subgraphs[0].tensors[operator(model, name).inputs[place]].type = kind

        return tflite_file.parse(edited(dense_tflite(), edit))

    assert tflm_arena.int8_kernels(tflite_file.parse(dense_tflite()))
    assert not tflm_arena.int8_kernels(typed("FULLY_CONNECTED", 1, schema.TensorType.INT4))
    assert not tflm_arena.int8_kernels(typed("CONV_2D", 0, schema.TensorType.INT16))


def test_resolver_methods_are_spelt_as_tflm_spells_them():
    spelt = {"CONV_2D": "AddConv2D", "SPACE_TO_BATCH_ND": "AddSpaceToBatchNd", "PADV2": "AddPadV2",
             "BATCH_MATMUL": "AddBatchMatMul", "RELU6": "AddRelu6"}  # fmt: skip
    assert {name: RESOLVER_METHODS[name] for name in spelt} == spelt

"""The gate before writing: a converter that is off by one anywhere writes nothing, for `convert` and boards.

Each case breaks one step of the converter, as a bug would.
"""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.convert import command, engine_model
from squeezenet_mcu.convert.encode import blob, channel_params, entropy, fast_fir
from squeezenet_mcu.convert.encode import weights as encodings
from squeezenet_mcu.convert.lowering import operators, tflite_file
from squeezenet_mcu.convert.network import Encoding, TensorView
from squeezenet_mcu.convert.target import Target
from squeezenet_mcu.convert.verify import exactness, stored
from squeezenet_mcu.host_tools.bench import small_net
from squeezenet_mcu.host_tools.boards import board_toml
from squeezenet_mcu.host_tools.firmware import board_model
from tests.convert import strided_net

BUILD = Path("build/net")
BOARD = "stm32f405"


def one_more(values: np.ndarray, change: int = 1) -> np.ndarray:
    """A copy whose last value is one more; one less where a byte would run over."""
    copy = values.copy()
    copy.flat[-1] += -change if copy.dtype == np.int8 and copy.flat[-1] == 127 else change
    return copy


def in_lowering(field):
    """The last convolution leaves lowering with one value of `field` off by one."""

    def wrong(monkeypatch):
        lower = operators.lower

        def lowered(file):
            network = lower(file)
            layer = [layer for layer in network.layers if layer.weights is not None][-1]
            setattr(layer, field, one_more(getattr(layer, field)))
            return network

        monkeypatch.setattr(engine_model, "lower", lowered)

    return wrong


def in_encoder(encoding):
    """Weights are stored with one off by one."""

    def wrong(monkeypatch):
        encode = encodings._ENCODERS[encoding]
        monkeypatch.setitem(encodings._ENCODERS, encoding, lambda w: encode(one_more(w)))

    return wrong


def in_parameters(piece):
    """Bias (0), multiplier (1) or shift (2) of a channel of each layer is stored off by one."""

    def wrong(monkeypatch):
        stored = encodings.stored_params

        def changed(layer):
            pieces = stored(layer)
            if len(pieces) == 3:
                dtype = ("<i4", "<i4", "i1")[piece]
                pieces[piece] = one_more(np.frombuffer(pieces[piece], dtype)).tobytes()
            return pieces

        monkeypatch.setattr(blob, "stored_params", changed)

    return wrong


def in_coded_parameters(field):
    """As in_parameters, of Huffman-coded layers."""

    def wrong(monkeypatch):
        pack = channel_params.pack

        def packed(layer, zero_point):
            return pack(replace(layer, **{field: one_more(getattr(layer, field))}), zero_point)

        monkeypatch.setattr(entropy.channel_params, "pack", packed)

    return wrong


def in_coded_weights(monkeypatch):
    """The entropy coder is given one wrong weight."""
    code = entropy.code

    def wrong_code(network):
        layer = next(layer for layer in network.layers if layer.weights is not None)
        right, layer.weights = layer.weights, one_more(layer.weights)
        code(network)
        layer.weights = right

    monkeypatch.setattr(entropy, "code", wrong_code)


# For each, the target that takes the step's way.
LOWERING = {f"lowering {f}": in_lowering(f) for f in ("weights", "bias", "multipliers", "shifts")}
STORING = {f"storing {n}": in_parameters(i) for i, n in enumerate(("bias", "multiplier", "shift"))}
DENSE = {"dense weight": in_encoder(Encoding.DENSE)}
CODED = {f"coding {f}": in_coded_parameters(f) for f in ("bias", "multipliers")}
CODED["coded weight"] = in_coded_weights
CASES = {
    **{(name, "any"): wrong for name, wrong in {**LOWERING, **STORING, **DENSE}.items()},
    ("sparse weight", "sparse"): in_encoder(Encoding.SPARSE),
    ("winograd weight", "winograd"): in_encoder(Encoding.WINOGRAD),
    ("slices weight", "mve"): in_encoder(Encoding.SLICES),
    ("fast_fir weight", "strided"): in_encoder(Encoding.FAST_FIR),
    **{(name, "flash"): wrong for name, wrong in CODED.items()},
}
TARGETS = {
    "any": Target(optimize="sram"),
    "sparse": Target("dsp", encoding="sparse"),
    "winograd": Target("dsp"),
    "mve": Target("mve"),
    "flash": Target("dsp", "flash"),
    "strided": Target("dsp", sram_bytes=64_000),
}


def file(target: str = "any") -> tflite_file.TfliteFile:
    content = strided_net.tflite() if target == "strided" else small_net.tflite()
    return tflite_file.parse(content, "net.tflite")


@pytest.mark.parametrize(("step", "target"), CASES)
def test_no_engine_model_of_a_converter_that_is_off_by_one(step, target, monkeypatch):
    engine_model.make(file(target), [], TARGETS[target])  # which is proven, without the bug
    CASES[step, target](monkeypatch)
    with pytest.raises(UserError, match=r"a bug of the converter|differs from LiteRT") as error:
        engine_model.make(file(target), [], TARGETS[target])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("tap", range(25))
def test_each_tap_of_fast_fir_is_read_back(tap):
    weights = np.random.default_rng(1).integers(-100, 100, (3, 3, 3, 10)).astype(np.int8)
    words = np.frombuffer(fast_fir.transformed(weights), "<i2").copy().reshape(2, 25, 3, 2, 2, 2)
    assert np.array_equal(stored._fast_fir(words.tobytes(), weights.shape), weights)
    words[1, tap, 2, 1, 0, 0] += 2  # the last channels that there are
    with pytest.raises(ValueError, match="not the sums of whole weights"):
        stored._fast_fir(words.tobytes(), weights.shape)


def convert() -> int:
    Path("net.tflite").write_bytes(small_net.tflite())
    return command.run(command.parser().parse_args(["--tflite", "net.tflite"]))


def contents(folder: Path) -> dict[str, str]:
    return {str(p): files.sha256(p.read_bytes()) for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("step", [*LOWERING, *STORING, *DENSE])
def test_convert_writes_nothing(step, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    CASES[step, "any"](monkeypatch)
    with pytest.raises(UserError):
        convert()
    assert not BUILD.exists()


def test_convert_leaves_an_earlier_conversion_as_it_was(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert convert() == 0
    before = contents(BUILD)
    assert str(BUILD / "manifest.json") in before
    for step in ("lowering weights", "storing bias", "storing multiplier"):
        with monkeypatch.context() as patch:
            CASES[step, "any"](patch)
            with pytest.raises(UserError):
                convert()
        assert contents(BUILD) == before


def test_a_board_gets_nothing(tmp_path, monkeypatch):
    """As for `convert`; and what an earlier run made for the board stays, with the record that vouches."""
    monkeypatch.chdir(tmp_path)
    assert convert() == 0
    board, folder = board_toml.load(BOARD), tmp_path / "model"
    with monkeypatch.context() as patch:
        in_lowering("multipliers")(patch)
        with pytest.raises(UserError):
            board_model.prepare(board, BUILD, folder, board_model.ModelRequest())
    assert not folder.exists()
    board_model.prepare(board, BUILD, folder, board_model.ModelRequest())
    before = contents(folder)
    in_lowering("bias")(monkeypatch)
    with pytest.raises(UserError):  # another target, so that it is made anew
        board_model.prepare(board, BUILD, folder, board_model.ModelRequest(optimize="flash"))
    assert contents(folder) == before
    assert json.loads((folder / "engine.json").read_text())["arena_bytes"]


def proof(network, images: int = 1) -> None:
    made = engine_model.prepare(file(), [], TARGETS["any"])
    made.network.tensors.clear()
    made.network.tensors.update(network)
    source = made.network.buffers[made.network.input_buffer]
    x = exactness.sample_images((source.height, source.width, source.channels), images)
    exactness.prove(file(), made.network, made.content, x)


TENSORS = operators.lower(file()).tensors
OUTPUTS = [(op, op.outputs[0]) for op in file().ops]


def test_a_proof_of_all_tensors_passes():
    proof(TENSORS)


def test_a_proof_that_compares_nothing_is_an_error():
    with pytest.raises(UserError, match=r"op 0 CONV_2D, tensor .* is not compared"):
        proof({})


def test_a_proof_without_images_is_an_error():
    with pytest.raises(UserError, match="no sample images"):
        proof(TENSORS, images=0)


@pytest.mark.parametrize(("op", "output"), OUTPUTS, ids=lambda v: getattr(v, "name", v))
def test_a_proof_that_misses_an_output_is_an_error(op, output):
    with pytest.raises(UserError, match=rf"op {op.index} {op.name}, tensor {output} .* is not compared"):
        proof({t: views for t, views in TENSORS.items() if t != output})


def test_a_proof_of_a_part_of_an_output_is_an_error():
    """All channels but one."""
    op, output = OUTPUTS[3]
    (view,) = TENSORS[output]
    less = TensorView(view.buffer, view.channel, view.channels - 1)
    with pytest.raises(UserError, match=rf"op {op.index} {op.name}, tensor {output} .* is not compared"):
        proof({**TENSORS, output: (less,)})


def test_only_a_folded_padding_may_be_missing():
    """Its output is in no buffer; that of its reader is compared, or the proof is an error."""
    from squeezenet_mcu.host_tools.bench.random_graph import RandomGraph

    g = RandomGraph(1, "padded")
    image = g.map("image", [1, 8, 8, 3], 1 / 255)
    padded = g.pad("pad", image, 1)
    first = g.conv("conv1", padded, 4, 3, same=False)
    content = g.packed(image, g.softmax(g.mean(g.conv("conv2", first, 5, 1))))
    source = tflite_file.parse(content, "padded.tflite")
    made = engine_model.make(source, [], TARGETS["any"])
    assert padded not in made.network.tensors
    x = exactness.sample_images((8, 8, 3), 1)
    del made.network.tensors[first]
    with pytest.raises(UserError, match=r"op 0 PAD, tensor .* is not compared"):
        exactness.prove(source, made.network, made.content, x)


def test_a_row_that_the_engine_never_finishes_is_an_error(monkeypatch):
    """A map that no row has come for would be compared as it was: zeros, or an earlier image's."""
    keep = exactness.EngineTrace._keep

    def forgetful(self, context, buffer, row, data):
        if (buffer, row) != (3, 1):
            keep(self, context, buffer, row, data)

    monkeypatch.setattr(exactness.EngineTrace, "_keep", forgetful)
    with pytest.raises(UserError, match=r"the engine made .* of the .* rows"):
        proof(TENSORS)

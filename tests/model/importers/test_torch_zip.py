"""torchvision's .pth: read exactly, and without running what stands in its pickle."""

import os
import pickle
import struct

import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.model import importers
from squeezenet_mcu.model.importers import imported_model, keras_npz, pickled
from squeezenet_mcu.model.settings import config
from tests.convert.shared_files import data_file
from tests.model.importers import torch_files
from tests.model.importers.torch_files import EMPTY, arrays, pth, state_dict, tensor, text, zipped
from tests.model.importers.weight_files import SHAPES, random_weights, same

VALUES = [array.astype("<f4").tobytes() for array in arrays(random_weights(SHAPES)).values()]


def load(folder, content, shapes=SHAPES):
    path = folder / "weights.pth"
    path.write_bytes(content)
    return importers.load(path, shapes)


def mistake(folder, content, shapes=SHAPES):
    with pytest.raises(UserError) as error:
        load(folder, content, shapes)
    message = str(error.value)
    assert message.startswith(f"{folder / 'weights.pth'}: ") and "\n" not in message
    return message


def with_tensors(**changes):
    """A .pth of whose tensors some are others; by name with _ for ."""
    named = arrays(random_weights(SHAPES))
    made = {name: tensor(str(i), array.shape) for i, (name, array) in enumerate(named.items())}
    made |= {name.replace("_", "."): change for name, change in changes.items()}
    return zipped(state_dict({name: change for name, change in made.items() if change}), VALUES)


def test_read_back(tmp_path):
    weights = random_weights(SHAPES)
    same(load(tmp_path, pth(weights)), weights)
    same(load(tmp_path, pth(weights, byteorder=b"little")), weights)


def test_the_writer_writes_what_pickle_reads():
    """The tests' own writer is checked by Python's pickle, with stand-ins for PyTorch's names."""

    class Reader(pickle.Unpickler):
        def find_class(self, module, name):
            return dict if name == "OrderedDict" else (lambda *given: given) if "rebuild" in name else name

        def persistent_load(self, given):
            return given

    import io

    made = state_dict({"features.0.weight": tensor("0", (4, 3, 3, 3))})
    # Python sets what BUILD gives as attributes, which a dict has none of: without the metadata.
    made = made[: made.index(b"}" + text("_metadata"))] + b"."
    found = Reader(io.BytesIO(made)).load()
    storage = ("storage", "FloatStorage", "0", "cpu", 108)
    assert found == {"features.0.weight": (storage, 0, (4, 3, 3, 3), (27, 9, 3, 1), False, {})}


@pytest.mark.parametrize("model", ["imagenet_v1_1", "v1_0"])
def test_the_whole_network(model, tmp_path, monkeypatch):
    """v1.0's fire modules have other numbers than v1.1's: their order counts."""
    if model == "v1_0":
        monkeypatch.setattr(torch_files, "name_of", lambda layer, of=torch_files.name_of: of(layer, V1_0))
    shapes = config.load(model).kernels
    weights = random_weights(shapes)
    same(load(tmp_path, pth(weights), shapes), weights)


V1_0 = (3, 4, 5, 7, 8, 9, 10, 12)


def test_the_shared_weights_through_a_pth(tmp_path):
    """torchvision's own numbers, as far as they are here: from the .npz, and from a .pth with the same."""
    shapes = config.load("imagenet_v1_1").kernels
    weights = keras_npz.load(data_file("weights/squeezenet_v1_1_torchvision.npz"), shapes)
    same(
        load(tmp_path, pth({name: weights[name] for name in shapes}), shapes), {n: weights[n] for n in shapes}
    )


def hostile(argument=b"touch executed", module=b"posix", name=b"system"):
    return b"\x80\x02c" + module + b"\n" + name + b"\n" + text(argument.decode()) + b"\x85R."


class Evil:
    """What Python's own pickle makes of an object that wants os.system called."""

    def __reduce__(self):
        return os.system, ("touch executed",)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (hostile(), "names posix.system, which could run code"),
        (hostile(module=b"builtins", name=b"eval"), "names builtins.eval"),
        (hostile(module=b"torch", name=b"load"), "names torch.load"),
        (pickle.dumps(Evil(), 2), "names posix.system"),
        (pickle.dumps({"features.0.weight": Evil()}, 0), "instruction 0x"),
        (pickle.dumps({"features.0.weight": Evil()}, 4), "of protocol 4; want 2"),
        (b"\x80\x02cposix\nsystem\n.", "names posix.system"),
        (b"(S'touch executed'\niposix\nsystem\n.", "instruction 0x53"),  # INST, of protocol 0
        (b"\x80\x02(" + text("a") + b"o.", "instruction 0x6f"),  # OBJ
        (b"\x80\x02" + EMPTY + b"\x81.", "instruction 0x81"),  # NEWOBJ
        (b"\x80\x02\x82\x01.", "instruction 0x82"),  # EXT1, a name of the registry
        (b"\x80\x02ccollections\nOrderedDict\n" + text("a") + b"\x85R.", "calls collections.OrderedD"),
        (b"\x80\x02" + text("a") + b")R.", "calls a str in another way"),
        (b"\x80\x02ctorch\nFloatStorage\n(tR.", "calls torch.FloatStorage in another way"),
    ],
)  # fmt: skip
def test_a_pickle_that_wants_something_run(made, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert said in mistake(tmp_path, zipped(made, VALUES))
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (b"", "cut off"),
        (b"\x80\x02", "cut off"),
        (b".", "ends with 0 values"),
        (b"\x80\x02NN.", "ends with 2"),
        (b"\x80\x02N.", "no dict of tensors"),
        (b"\x80\x02}" + text("a") + b"Ns.", "a nonetype under 'a'"),
        (b"\x80\x02}NNs.", "a nonetype as a name"),
        (b"\x80\x02N(NNu.", "no dict"),
        (b"u.", "cut off"),
        (b"\x80\x02h\x07.", "cut off"),
        (b"\x80\x02(q\x00.", "cut off"),
        (b"\x80\x02X\xff\xff\xff\xff.", "4,294,967,295"),
        (b"\x80\x02X\x01\x00\x00\x00\xff.", "UTF-8"),
        (b"\x80\x02\x8a\xff" + bytes(255) + b".", "a number of 255 bytes"),
        (b"\x80\x02" + b"(" * 1000 + b"t" * 2000 + b".", "cut off"),
        (b"\x80\x02r\xff\xff\xff\xff.", "cut off"),
        (b"\x80\x02" + b"N" * (1 << 20) + b".", "unpacks to 1,048,579 bytes"),
    ],
)
def test_pickles_that_are_no_state_dict(made, said, tmp_path):
    assert said in mistake(tmp_path, zipped(made, VALUES))


def test_tensors_that_are_not_as_they_should_be(tmp_path):
    weight = (4, 3, 3, 3)

    def seen(**changes):
        return mistake(tmp_path, with_tensors(**changes))

    assert "want 400, and 108 float32" in seen(features_0_weight=tensor("0", weight, count=100))
    assert "from value 1 on" in seen(features_0_weight=tensor("0", weight, offset=1))
    assert "another order" in seen(features_0_weight=tensor("0", weight, stride=(27, 1, 9, 3)))
    half = tensor("0", weight).replace(b"ctorch\nFloatStorage\n", text("HalfStorage"))
    assert "not of float32; want model.float()" in seen(features_0_weight=half)
    assert "names torch.HalfStorage" in seen(features_0_weight=tensor("0", weight, kind="HalfStorage"))
    assert '"archive/data/77", are not in the zip' in seen(features_0_weight=tensor("77", weight))
    assert "has the storage '../0'" in seen(features_0_weight=tensor("../0", weight))
    assert "in another way than torch.save" in seen(features_0_weight=tensor("0", (-4, 3, 3, 3), count=108))
    assert "conv1 has bias" in seen(features_0_weight=None)
    assert "no layer conv10" in seen(classifier_1_weight=None, classifier_1_bias=None)
    assert '"layer4.weight" is no tensor of torchvision' in seen(
        layer4_weight=tensor("0", weight), features_0_weight=None
    )
    assert '"features.2.weight" is no tensor' in seen(
        features_2_weight=tensor("0", weight), features_0_weight=None
    )
    assert "conv1: kernel is [3, 3, 3, 2], want [3, 3, 3, 4]" in seen(
        features_0_weight=tensor("0", (2, 3, 3, 3), count=108)
    )
    many = {f"features_{number}_squeeze_bias": tensor("1", (4,)) for number in range(20, 40)}
    assert "tensors for 5 layers" in seen(**many)


def test_zips_that_are_not_as_they_should_be(tmp_path):
    weights = random_weights(SHAPES)
    assert "0 members data.pkl" in mistake(tmp_path, zipped(b"", []).replace(b"data.pkl", b"data.txt"))
    assert "not little-endian" in mistake(tmp_path, pth(weights, byteorder=b"big"))
    large = zipped(state_dict({"features.0.weight": tensor("0", (4, 3, 3, 3))}), [bytes(1 << 20)])
    assert "unpacks to 1,048,576 bytes; at most 432 are read" in mistake(tmp_path, large)
    old = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03."
    said = mistake(tmp_path, old + bytes(100))
    assert "of PyTorch before 1.6" in said and "torch.save(torch.load(file, weights_only=True), file)" in said


def test_a_pth_is_not_for_caffes_network(tmp_path):
    path = tmp_path / "squeezenet1_0-b66bff10.pth"
    path.write_bytes(b"")
    with pytest.raises(UserError, match=r'want preprocess = "torch" and conv10_padding = 0; .*"caffe"'):
        imported_model.imported(config.load("imagenet_v1_0"), path)


def test_numbers_of_every_length():
    """K, M, J and the long of 1 to 8 bytes."""
    for count in (1, 300, 70_000):
        (found,) = pickled.read(state_dict({"a": tensor("0", (count,))})).values()
        assert found.size == (count,) and found.storage.count == count
    long = b"\x8a\x05" + (70_000).to_bytes(5, "little")
    made = state_dict({"a": tensor("0", (70_000,))}).replace(b"J" + struct.pack("<i", 70_000), long)
    assert long in made and pickled.read(made)["a"].size == (70_000,)

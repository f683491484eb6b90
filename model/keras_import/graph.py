"""The network that a Keras file describes, as a list of calls of layers: no code, no objects of Keras's."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import one_line, shown
from squeezenet_mcu.model.keras_import import layers
from squeezenet_mcu.model.keras_import.layers import INPUT, Layer
from squeezenet_mcu.model.keras_import.settings import Settings

MODELS = ("Functional", "Model", "Sequential")
MOST_CALLS = 1000  # the engine takes 128 layers; ResNet-50 has 177 in Keras
_MOST_SIDE = 4096  # as of a manifest's input
_DEEPEST = 8  # models within models
# Where layers come from; None: of HDF5 files, which name classes alone.
_MODULES = frozenset({
    None, "keras", "keras.layers", "keras.models", "keras.src.models.functional",
    "keras.src.models.sequential",
    "keras.src.engine.functional", "keras.src.engine.sequential", "tf_keras.src.engine.functional",
    "tf_keras.src.engine.sequential", "keras.engine.functional", "keras.engine.sequential",
    "keras.src.models.model",
})  # fmt: skip
# What `a + b` and keras.ops.relu(a) of outputs become: no layers, and not counted as such.
_MERGING, _FUNCTIONS = "keras.src.ops.numpy", "keras.src.ops.nn"
_ACTIVATIONS = {"Relu": "relu", "Relu6": "relu6"}


@dataclass(frozen=True)
class Call:
    """One use of a layer: what it reads, as places in Graph.calls. The input's reads nothing."""

    layer: Layer
    inputs: tuple[int, ...]


@dataclass
class Graph:
    """A network of one input [height, width, channels] and one output; `calls` in the order of running."""

    path: Path
    name: str
    input_shape: tuple[int, ...]
    calls: list[Call]
    output: int

    @property
    def layers(self) -> list[Layer]:
        """Every layer once."""
        return list({id(call.layer): call.layer for call in self.calls}.values())


_Ref = tuple[str, int]  # a layer's name, and which of its calls


@dataclass
class _Model:
    """A model of the file. `parts`: its layers and models; `calls`: what each call of a part reads."""

    name: str
    parts: "dict[str, Layer | _Model]" = field(default_factory=dict)
    calls: dict[str, list[list[_Ref]]] = field(default_factory=dict)
    inputs: list[_Ref] = field(default_factory=list)
    outputs: list[_Ref] = field(default_factory=list)
    shape: tuple[int, ...] | None = None


def snake_case(name: str) -> str:
    """A class's name as Keras writes it beside the weights: global_average_pooling2d."""
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


class _Parser:
    def __init__(self, path: Path, version: int) -> None:
        self.path, self.version = path, version

    def fail(self, what: str) -> UserError:
        return UserError(f"{self.path}: {what}")

    def model(self, table: dict[str, Any], place: tuple[str, ...], names: tuple[str, ...]) -> _Model:
        """A model's table {"class_name", "config"}. `place`, `names`: those around its layers."""
        config = table.get("config")
        if isinstance(config, list) and table.get("class_name") == "Sequential":  # Keras 2.1 and before
            config = {"layers": config}
        if table.get("class_name") not in MODELS or not isinstance(config, dict):
            raise self.fail(f"describes no model; want one of {', '.join(MODELS)}")
        entries = config.get("layers")
        if not isinstance(entries, list) or not entries or not all(isinstance(e, dict) for e in entries):
            raise self.fail("its config has no list of layers; want a whole model, not weights alone")
        if len(entries) > MOST_CALLS or len(place) > _DEEPEST:
            raise self.fail(f"{len(entries):,} layers, {len(place)} models deep; want at most {MOST_CALLS:,}")
        model = _Model(str(config.get("name", table.get("name", "model"))))
        used: dict[str, int] = {}
        for entry in entries:
            self._part(model, entry, place, names, used)
        if table["class_name"] == "Sequential":
            self._chain(model, config)
        else:
            self._wire(model, config, entries)
        return model

    def _part(
        self,
        model: _Model,
        entry: dict[str, Any],
        place: tuple[str, ...],
        names: tuple[str, ...],
        used: dict[str, int],
    ) -> None:
        kind, settings = entry.get("class_name"), entry.get("config")
        if isinstance(settings, list):
            settings = {}
        if not isinstance(kind, str) or not isinstance(settings, dict):
            raise self.fail(f"a layer has class {shown(kind)}; want a class and its settings")
        s = Settings(self.path, kind, settings)
        s.name = str(settings.get("name", entry.get("name", kind)))
        if s.name in model.parts:
            raise self.fail(f"two layers are called {shown(s.name)}; want different names")
        module = entry.get("module")
        module = None if module is None else str(module)
        operator = module == _MERGING and kind in layers.MERGES
        if module in (_FUNCTIONS, None) and kind in _ACTIVATIONS:
            s = Settings(self.path, "Activation", {"name": s.name, "activation": _ACTIVATIONS[kind]})
            operator = True
        if module not in _MODULES and not operator:
            s.kind = f"{module}.{kind}"
            raise s.fail("is not among the layers that are read; want plain layers of Keras itself")
        where = snake_case(kind)
        if not operator:
            number = used[where] = used.get(where, -1) + 1
            where = f"{where}_{number}" if number else where
        here, own = (*place, where), (*names, s.name)
        if kind in MODELS:
            model.parts[s.name] = self.model(entry, here, own)
        elif kind == INPUT:
            model.parts[s.name] = Layer(INPUT, s.name, {"shape": _shape(settings)})
        else:
            found = layers.read(s, self.version)
            found.place, found.names = here, own
            model.parts[s.name] = found

    def _chain(self, model: _Model, config: dict[str, Any]) -> None:
        """Sequential: each layer reads the one before."""
        before: _Ref | None = None
        first = next(iter(model.parts.values()))
        if isinstance(first, Layer) and first.kind == INPUT:
            model.shape = first.values["shape"]
        elif isinstance(first, _Model):
            model.shape = first.shape
        else:
            entry = config["layers"][0].get("config", {})
            model.shape = _shape(entry) or _shape({"batch_shape": config.get("build_input_shape")})
        if not (isinstance(first, Layer) and first.kind == INPUT):
            before = ("", 0)
            model.inputs = [before]
        for name, part in model.parts.items():
            if isinstance(part, Layer) and part.kind == INPUT:
                if before is not None:
                    raise self.fail(f"input {shown(name)} stands within a Sequential; want it first")
                model.inputs = [(name, 0)]
            else:
                model.calls[name] = [[before]] if before is not None else []
            before = (name, 0)
        assert before is not None
        model.outputs = [before]

    def _wire(self, model: _Model, config: dict[str, Any], entries: list[dict[str, Any]]) -> None:
        """Functional: each layer says what it reads."""
        for (name, part), entry in zip(model.parts.items(), entries, strict=True):
            if isinstance(part, Layer) and part.kind == INPUT:
                continue
            nodes = entry.get("inbound_nodes")
            if not isinstance(nodes, list) or len(nodes) > MOST_CALLS:
                raise self.fail(f"layer {shown(name)} has no list of inbound_nodes; want a functional model")
            model.calls[name] = [self._call(name, node) for node in nodes]
        model.inputs, model.outputs = (self._ends(config.get(k)) for k in ("input_layers", "output_layers"))
        for ref in model.inputs:
            found = model.parts.get(ref[0])
            if not isinstance(found, Layer) or found.kind != INPUT:
                raise self.fail(f"input_layers names {shown(ref[0])}, which is no input; want an InputLayer")
            model.shape = found.values["shape"]

    def _call(self, name: str, node: Any) -> list[_Ref]:
        if isinstance(node, dict):  # Keras 3: {"args": [...], "kwargs": {...}}
            found, options = _tensors(node.get("args")), node.get("kwargs")
            rest = None if found is not None else "other arguments than outputs of layers"
        else:  # Keras 2: [[name, call, output, {...}], ...]
            node = [node] if isinstance(node, list) and node and isinstance(node[0], str) else node
            found, rest, options = list[_Ref](), None, {}
            for part in node if isinstance(node, list) else [None]:
                ref = _ref(part)
                if ref is None:
                    rest = "other arguments than outputs of layers"
                    break
                found.append(ref)
                more = part[3] if isinstance(part, list) and len(part) > 3 else None
                options = options | more if isinstance(more, dict) else options
        for key, value in (options if isinstance(options, dict) else {}).items():
            # Keras 3 gives its random layers training=True, and takes it back when a network only predicts.
            if not (value in (None, False) or (key == "training" and self.version == 3)):
                rest = f"{shown(key)}={shown(value)}"
        if rest is not None or not found:
            raise self.fail(f"layer {shown(name)} is called with {rest or 'nothing'}; want outputs of layers")
        return found

    def _ends(self, value: Any) -> list[_Ref]:
        value = [value] if isinstance(value, list) and value and isinstance(value[0], str) else value
        found = [_ref(part) for part in value] if isinstance(value, list) else []
        if not found or None in found:
            raise self.fail("names no input or output; want a functional model with both")
        return [ref for ref in found if ref is not None]


def _ref(part: Any) -> _Ref | None:
    """[name, call, 0, ...]: the layers that are read have one output."""
    if not isinstance(part, list) or len(part) < 3 or not isinstance(part[0], str):
        return None
    return (part[0], part[1]) if type(part[1]) is int and type(part[2]) is int and part[2] == 0 else None


def _tensors(args: Any) -> list[_Ref] | None:
    """Keras 3's arguments: tensors, or lists of them; None where there is anything else."""
    waiting, found = [args], []
    while waiting:
        part = waiting.pop(0)
        if isinstance(part, list):
            waiting = [*part, *waiting]
        elif isinstance(part, dict) and part.get("class_name") == "__keras_tensor__":
            config = part.get("config")
            ref = _ref(config.get("keras_history")) if isinstance(config, dict) else None
            if ref is None:
                return None
            found.append(ref)
        else:
            return None
    return found


def _shape(settings: Any) -> tuple[int, ...] | None:
    """[height, width, channels] of `batch_shape`, where all are sizes."""
    if not isinstance(settings, dict):
        return None
    value = settings.get("batch_shape") or settings.get("batch_input_shape")
    if not isinstance(value, list) or not all(type(v) is int and 1 <= v <= _MOST_SIDE for v in value[1:]):
        return None
    return tuple(value[1:])


class _Flattener:
    """Puts the calls of models within models in one list."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.calls: list[Call] = []
        self.left = 4 * MOST_CALLS

    def fail(self, what: str) -> UserError:
        return UserError(f"{self.path}: {what}")

    def run(self, model: _Model, given: list[int]) -> list[int]:
        """The places of the model's outputs, for inputs at the places `given`."""
        if len(given) != len(model.inputs):
            raise self.fail(
                f"model {shown(model.name)} is given {len(given)} inputs; want {len(model.inputs)}"
            )
        done = dict(zip(model.inputs, given, strict=True))
        first = self._first_calls(model)
        waiting = [(name, i, refs) for name, calls in model.calls.items() for i, refs in enumerate(calls)]
        while waiting:
            later = []
            for name, i, refs in waiting:
                if not all(ref in done for ref in refs):
                    later.append((name, i, refs))
                    continue
                done[name, i + first.get(name, 0)] = self._call(model.parts[name], [done[r] for r in refs])
            if len(later) == len(waiting):
                name, _, refs = later[0]
                missing = next(ref for ref in refs if ref not in done)
                raise self.fail(
                    f"layer {shown(name)} reads output {missing[1]} of {shown(missing[0])}, which is not "
                    "made before it; want layers in an order, without a circle"
                )
            waiting = later
        for ref in model.outputs:
            if ref not in done:
                raise self.fail(f"output {ref[1]} of {shown(ref[0])} is not made; want layers that are there")
        return [done[ref] for ref in model.outputs]

    def _first_calls(self, model: _Model) -> dict[str, int]:
        """Keras counts a model's own making as its first call, in some versions."""
        read = [ref for calls in model.calls.values() for refs in calls for ref in refs] + model.outputs
        return {
            name: 1
            for name, part in model.parts.items()
            if isinstance(part, _Model) and any(ref == (name, len(model.calls[name])) for ref in read)
        }

    def _call(self, part: Layer | _Model, given: list[int]) -> int:
        self.left -= 1
        if self.left < 0 or len(self.calls) > MOST_CALLS:
            raise self.fail(f"over {MOST_CALLS:,} layers; want at most so many")
        if isinstance(part, _Model):
            outputs = self.run(part, given)
            if len(outputs) != 1:
                raise self.fail(f"model {shown(part.name)} has {len(outputs)} outputs; want 1")
            return outputs[0]
        if part.kind in layers.TRAINING_ONLY and len(given) == 1:
            return given[0]
        self.calls.append(Call(part, tuple(given)))
        return len(self.calls) - 1


def parse(config: dict[str, Any], version: int, path: Path) -> Graph:
    """The network of a file's config, without arrays. `version`: of the Keras that wrote it, 2 or 3.

    Raises UserError: another layer than keras_import.layers reads, more than one input or output, sizes left
    open, or too many layers.
    """
    try:
        model = _Parser(path, version).model(config, (), ())
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
        # What is checked above gives a better message.
        raise UserError(
            f"{path}: its config is damaged ({one_line(str(error))}); want Keras's own"
        ) from error
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise UserError(
            f"{path}: {len(model.inputs)} inputs, {len(model.outputs)} outputs; want a network of one and one"
        )
    if model.shape is None or len(model.shape) != 3:
        raise UserError(
            f"{path}: its input is not height, width and channels of 1 to {_MOST_SIDE:,} each; want an "
            "Input(shape=(height, width, channels)) of fixed size"
        )
    flat = _Flattener(path)
    flat.calls.append(Call(Layer(INPUT, "image", {}), ()))
    (output,) = flat.run(model, [0])
    return Graph(path, model.name, model.shape, flat.calls, output)

"""The engine's view of a network: row buffers and the layers that fill them, row by row."""

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

MAX_LAYERS = 128  # and as many buffers (firmware_cpp/engine/format.h)
WORKERS = 2  # at most, that share a step


class Kind(IntEnum):
    """Layer kinds, as numbered in the engine's model (firmware_cpp/engine/format.h)."""

    CONV_2D = 1
    MAX_POOL = 2
    AVERAGE_POOL = 3
    MEAN = 4
    ADD = 5
    PAD = 6
    REQUANTIZE = 7
    SOFTMAX = 8
    LOOKUP = 9
    MUL_CONSTANT = 10
    ADD_CONSTANT = 11
    DEPTHWISE = 12
    DENSE = 13


class Encoding(IntEnum):
    """How weights are stored (firmware_cpp/engine/format.h, WeightEncoding)."""

    NONE = 0
    DENSE = 1
    SPARSE = 2
    WINOGRAD = 3
    SLICES = 4
    HUFFMAN = 5
    FAST_FIR = 6


class ConvKernel(IntEnum):
    """Which kernel runs a convolution (firmware_cpp/engine/format.h, ConvKernel)."""

    REFERENCE = 0
    GEMM = 1
    WINOGRAD = 2
    LANES = 3
    SPARSE_LIST = 4
    SLICES = 5
    PIXEL_PAIRS = 6
    FAST_FIR = 7
    WINOGRAD_WORDS = 8


# Kinds that fold input rows into a partial output row, one input row a step.
ACCUMULATING = (Kind.MAX_POOL, Kind.AVERAGE_POOL, Kind.MEAN, Kind.DENSE)
# Kinds whose window is the whole map, which may be higher than a record's byte can say.
WHOLE_MAP = (Kind.MEAN, Kind.DENSE)


@dataclass
class Buffer:
    """Rows of one feature map: [ring_rows][width * channels] int8 in the arena (HWC rows)."""

    name: str
    height: int
    width: int
    channels: int
    scale: float
    zero_point: int
    ring_rows: int = 0  # set by the plan
    offset: int = 0  # set by the plan

    @property
    def row_bytes(self) -> int:
        return self.width * self.channels


@dataclass(frozen=True)
class EntropyCoded:
    """A convolution's weights and parameters, entropy-coded and packed (entropy.py, channel_params.py)."""

    stream: bytes
    params: bytes


@dataclass(frozen=True)
class ConvArrays:
    """What a convolution multiplies by.

    Attributes:
        weights: int8 [out, kernel_h, kernel_w, in] (OHWI).
        bias: int32 [out], the input's zero point folded in.
        multipliers: int32 [out], the scale of each output channel as a fraction of 2^31.
        shifts: int8 [out], the power of two that goes with each multiplier.
    """

    weights: np.ndarray
    bias: np.ndarray
    multipliers: np.ndarray
    shifts: np.ndarray


@dataclass
class Layer:
    """One layer: reads rows of `inputs`, writes channels [out_channel, +out_channels) of `output`'s rows."""

    name: str
    kind: Kind
    op_index: int
    inputs: list[int]
    output: int
    out_channels: int
    out_channel: int = 0
    kernel: tuple[int, int] = (1, 1)
    stride: tuple[int, int] = (1, 1)
    pad_top: int = 0
    pad_left: int = 0
    act_min: int = -128
    act_max: int = 127
    # int8 [out, kernel_h, kernel_w, in] (OHWI); of a DEPTHWISE [kernel_h, kernel_w, channels]
    weights: np.ndarray | None = None
    bias: np.ndarray | None = None  # int32 [out], the input's zero point folded in
    multipliers: np.ndarray | None = None  # int32 [out]
    shifts: np.ndarray | None = None  # int8 [out]
    # LOOKUP: int8 [256]; MUL_CONSTANT: int16 [channels]; ADD_CONSTANT: int32 [channels]
    constant: np.ndarray | None = None
    params: list[int] = field(default_factory=list)  # see firmware_cpp/engine/format.h
    scratch_bytes: int = 0  # int32 accumulators of the accumulating kinds; of CONV_2D, its kernel's
    scratch_offset: int = 0  # set by the plan
    macs: int = 0
    # How a convolution is run: set by convert/select/choose.py.
    conv_kernel: ConvKernel = ConvKernel.REFERENCE
    encoding: Encoding = Encoding.DENSE
    batch_rows: int = 1  # output rows made at once; the same for all layers of a stage
    defer_rows: int = 0  # deferred stage: input rows that must be there before it begins
    shared: bool = False  # two workers share the rows of its stage's steps (convert/schedule/workers.py)
    second_scratch: int = 0  # shared CONV_2D: the second worker's; set by the plan
    entropy_coded: EntropyCoded | None = None  # set by convert/encode/entropy.py

    @property
    def conv(self) -> ConvArrays:
        """The arrays of a CONV_2D, DEPTHWISE or DENSE, which have all four; for no other kind."""
        assert self.weights is not None
        assert self.bias is not None
        assert self.multipliers is not None
        assert self.shifts is not None
        return ConvArrays(self.weights, self.bias, self.multipliers, self.shifts)


@dataclass(frozen=True)
class TensorView:
    """Where a tensor of the .tflite is found: channels [channel, +channels) of a buffer's rows."""

    buffer: int
    channel: int
    channels: int


@dataclass
class Network:
    """A lowered network. Layers are in execution order; those that share an output stand together."""

    source: bytes
    buffers: list[Buffer]
    layers: list[Layer]
    input_buffer: int
    logits_buffer: int
    output_buffer: int
    tensors: dict[int, tuple[TensorView, ...]]  # their parts, channel after channel
    logits_tensor: int
    output_tensor: int
    codes: bytes = b""  # of the Huffman-coded layers (convert/encode/entropy.py)

    @property
    def macs(self) -> int:
        return sum(layer.macs for layer in self.layers)

    def weights_dense_bytes(self) -> int:
        return sum(layer.weights.size for layer in self.layers if layer.weights is not None)

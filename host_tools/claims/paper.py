"""What the paper claims, figure by figure, in our words.

Source: Iandola, Han, Moskewicz, Ashraf, Dally and Keutzer, "SqueezeNet: AlexNet-level accuracy with 50x fewer
parameters and <0.5MB model size", arXiv:1602.07360v4. Each figure is the paper's own, as printed there.
"""

from squeezenet_mcu.host_tools.claims.claim import Claim

TITLE = "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size"
ARXIV = "1602.07360"

TABLE_1 = {
    "conv1": 14_208,
    "fire2": 11_920,
    "fire3": 12_432,
    "fire4": 45_344,
    "fire5": 49_440,
    "fire6": 104_880,
    "fire7": 111_024,
    "fire8": 188_992,
    "fire9": 197_184,
    "conv10": 513_000,
}
"""The column of parameters before pruning."""

_WEIGHTS = "build/weights/compressed_SqueezeNet.net"
_FETCH = "make weights MODEL=imagenet_v1_0"
_FILE = f"{_FETCH}; make claims WEIGHTS={_WEIGHTS}"
_IMAGES = f"{_FETCH}; make claims WEIGHTS={_WEIGHTS} DATA=imagenet_val"
_FLOAT = "build/weights/squeezenet_v1.0.caffemodel"
_FLOAT_IMAGES = f"{_FETCH} WEIGHTS=squeezenet_v1.0.caffemodel; make claims WEIGHTS={_FLOAT} DATA=imagenet_val"


def _training(bypass: str, more: str = "") -> str:
    """`bypass`: a kind of model/settings/architecture.py."""
    toml = f"{bypass}.toml"
    made = (
        f"""sed 's/v1_0/{bypass}/; s/bypass = "none"/bypass = "{bypass}"/' model/configs/v1_0.toml > {toml}"""
    )
    return f"{made}; make train MODEL={toml} DATA=imagenet ONLY=1{more.format(toml)}"


_TOP_5 = (
    "; make quantize MODEL={0} DATA=imagenet; make convert MODEL={0}; make evaluate MODEL={0} DATA=imagenet"
)

_SIZE = "Parameters and size"
_COMPRESSION = "Compression"
_ACCURACY = "Accuracy"
_ADVANTAGES = "The three advantages"
_FAMILY = "The family"

CLAIMS = (
    Claim(
        "parameters", _SIZE, "SqueezeNet has 1,248,424 parameters.",
        "table 1", "exactly", 1_248_424, "parameters",
    ),
    Claim(
        "parameters-by-line", _SIZE, "Ten lines of it have from 14,208 (conv1) to 513,000 (conv10) each.",
        "table 1", "exactly", len(TABLE_1), "lines",
    ),
    Claim(
        "fewer-parameters", _SIZE, "SqueezeNet has 50 times fewer parameters than AlexNet.",
        "title, abstract, table 2", "about", 50, "times",
    ),
    Claim(
        "alexnet-megabytes", _SIZE, "AlexNet takes 240 MB as float32.",
        "section 1, table 2", "about", 240, "MB",
    ),
    Claim(
        "megabytes", _SIZE, "SqueezeNet takes 4.8 MB as float32.",
        "table 2", "about", 4.8, "MB",
    ),
    Claim(
        "squeeze-ratio-megabytes", _SIZE,
        "With three squeeze filters for four expand filters (ratio 0.75) it takes 19 MB.",
        "section 5.2", "about", 19, "MB",
    ),
    Claim(
        "pruned-parameters", _COMPRESSION, "421,098 parameters are left after pruning.",
        "table 1", "about", 421_098, "parameters", _FILE,
    ),
    Claim(
        "compressed-8-bit", _COMPRESSION, "Deep Compression with 8 bits makes it 0.66 MB.",
        "table 2", "about", 0.66, "MB", _FILE,
    ),
    Claim(
        "smaller-8-bit", _COMPRESSION, "With 8 bits it is 363 times smaller than AlexNet.",
        "table 2", "about", 363, "times", _FILE,
    ),
    Claim(
        "under-half-megabyte", _COMPRESSION, "Compressed, the model takes less than 0.5 MB (table 2: 0.47).",
        "title, abstract", "at most", 0.5, "MB", _IMAGES,
    ),
    Claim(
        "smaller-6-bit", _COMPRESSION, "Compressed (with 6 bits), it is 510 times smaller than AlexNet.",
        "abstract, table 2", "at least", 510, "times", _IMAGES,
    ),
    Claim(
        "top-1", _ACCURACY, "SqueezeNet's top-1 accuracy on ImageNet is 57.5 %.",
        "tables 2 and 3", "at least", 57.5, "%", _FLOAT_IMAGES,
    ),
    Claim(
        "top-5", _ACCURACY, "SqueezeNet's top-5 accuracy is 80.3 %, as AlexNet's is.",
        "tables 2 and 3", "at least", 80.3, "%", _FLOAT_IMAGES,
    ),
    Claim(
        "compressed-top-1", _ACCURACY, "Deep Compression leaves its top-1 accuracy at 57.5 %.",
        "table 2", "at least", 57.5, "%", _IMAGES,
    ),
    Claim(
        "compressed-top-5", _ACCURACY, "Deep Compression leaves its top-5 accuracy at 80.3 %.",
        "table 2", "at least", 80.3, "%", _IMAGES,
    ),
    Claim(
        "simple-bypass-top-1", _ACCURACY, "With simple bypasses, top-1 is 60.4 %.",
        "section 6, table 3", "at least", 60.4, "%", _training("simple"),
    ),
    Claim(
        "simple-bypass-top-5", _ACCURACY, "With simple bypasses, top-5 is 82.5 %.",
        "section 6, table 3", "at least", 82.5, "%", _training("simple", _TOP_5),
    ),
    Claim(
        "complex-bypass-top-1", _ACCURACY, "With complex bypasses, top-1 is 58.8 %.",
        "section 6, table 3", "at least", 58.8, "%", _training("complex"),
    ),
    Claim(
        "complex-bypass-top-5", _ACCURACY, "With complex bypasses, top-5 is 82.0 %.",
        "section 6, table 3", "at least", 82.0, "%", _training("complex", _TOP_5),
    ),
    Claim(
        "training-bytes", _ADVANTAGES,
        "What servers exchange in a training step is in proportion to the parameters: 50 times less.",
        "section 1, first advantage", "about", 50, "times",
    ),
    Claim(
        "export-bytes", _ADVANTAGES,
        "A new model for a client is less than the 240 MB that AlexNet's is.",
        "section 1, second advantage", "at most", 240, "MB",
    ),
    Claim(
        "export-difference-bytes", _ADVANTAGES,
        "So is a model whose last layer alone is new, for a client that has the old one.",
        "section 1, second advantage", "at most", 240, "MB",
    ),
    Claim(
        "memory", _ADVANTAGES,
        "It fits into a chip's own memory, of which the FPGA named there has 8.5 MB.",
        "section 1, third advantage", "at most", 8.5, "MB",
    ),
    Claim(
        "simple-bypass-megabytes", _FAMILY, "With simple bypasses it takes 4.8 MB, no more than without.",
        "table 3", "about", 4.8, "MB",
    ),
    Claim(
        "complex-bypass-megabytes", _FAMILY, "With complex bypasses it takes 7.7 MB.",
        "table 3", "about", 7.7, "MB",
    ),
    Claim(
        "v1.1-computation", _FAMILY, "v1.1 computes 2.4 times less than v1.0.",
        "the authors' release of v1.1", "about", 2.4, "times",
    ),
    Claim(
        "v1.1-parameters", _FAMILY, "v1.1 has slightly fewer parameters than v1.0.",
        "the authors' release of v1.1", "at most", 1_248_424, "parameters",
    ),
)  # fmt: skip

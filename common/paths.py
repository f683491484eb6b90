"""Where the project's own files are, and where a user's go."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""The checkout; of an installed package, the folder squeezenet_mcu, which has the same sub-folders."""

FIRMWARE = ROOT / "firmware_cpp"
CONFIGS = ROOT / "model" / "configs"
ZOO = ROOT / "model" / "zoo"

BUILD = Path("build")
"""Everything that is made, a folder a model; relative, so it is below the user's working directory."""

RECORDS = tuple(
    f"{name}.json"
    for name in ("manifest", "import", "chain", "train", "prune", "cluster", "quantize", "dense")
)
"""What a model's folder in BUILD notes of itself: without it, what hours of training have made is lost."""


def tool_build() -> Path:
    """Where the project compiles its tools for the host: in the checkout, or else below the user's BUILD."""
    return (ROOT / "build") if (ROOT / "pyproject.toml").is_file() else BUILD.resolve()


def trained_files(name: str, build: Path) -> list[Path]:
    """Where the network of model `name`, trained here or shipped, may be: the best first."""
    return [build / name / "float.keras", ZOO / name / "quantized.keras"]

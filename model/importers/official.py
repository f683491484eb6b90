"""Trained weights that their authors publish: where, and by what they are known. Downloads nothing."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.paths import BUILD

FOLDER = BUILD / "weights"
_GITHUB = "https://raw.githubusercontent.com"


@dataclass(frozen=True)
class Official:
    """A file of weights. `most`: bytes that are downloaded at most. `sha256`: as much of it as is published,

    from its first digit on. `git_blob`: the file's name in its git repository, a SHA-1, where that is what is
    known of it.
    """

    url: str
    most: int
    whose: str
    sha256: str = ""
    git_blob: str = ""

    @property
    def name(self) -> str:
        """The file's name, here as there."""
        return self.url.rpartition("/")[2]

    @property
    def place(self) -> Path:
        """Where it is kept, below the working directory."""
        return FOLDER / self.name


# The first of a model is what it takes by itself.
FILES: dict[str, tuple[Official, ...]] = {
    "imagenet_v1_1": (
        Official(
            "https://download.pytorch.org/models/squeezenet1_1-b8a52dc0.pth",
            8 << 20,
            "torchvision's, float32",
            sha256="b8a52dc0",  # torchvision's names carry the first 8 digits, which torch.hub checks too
        ),
    ),
    "imagenet_v1_0": (
        Official(
            f"{_GITHUB}/songhan/SqueezeNet-Deep-Compression/master/compressed_SqueezeNet.net",
            1 << 20,
            "the Deep Compression authors', pruned, 256 values a layer",
            sha256="e4ab6960ae8cd81505e1c2136921201507e930966c53deaf15862a395b3a3261",
        ),
        Official(
            f"{_GITHUB}/forresti/SqueezeNet/master/SqueezeNet_v1.0/squeezenet_v1.0.caffemodel",
            8 << 20,
            "the SqueezeNet authors', float32",
            git_blob="a381d848b43d7048c3b362238ece2386c21d6ff0",
        ),
    ),
}


def of(model: str, wanted: str | None) -> Official:
    """The file called `wanted` of a model of FILES, or its first. UserError where it has no such file."""
    found = FILES[model]
    for file in found:
        if wanted in (None, file.name):
            return file
    names = ", ".join(f"{file.name} ({file.whose})" for file in found)
    raise UserError(f"--weights {wanted}: no published file of {model}; want {names}")


def check(file: Official, path: Path) -> str:
    """By what `path` is known to be `file`, in words. UserError where it is another."""
    content = files.read_input(path, file.most, f"want {file.name}")
    if file.sha256:
        found, digits = files.sha256(content), len(file.sha256)
        if found[:digits] != file.sha256:
            raise UserError(
                f"{path}: SHA-256 {found}; want {file.sha256}{'...' if digits < 64 else ''}: damaged, or "
                "another file"
            )
        return "SHA-256" if digits == 64 else f"the first {digits} digits of its SHA-256, {file.sha256}"
    if file.git_blob:
        found = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
        if found != file.git_blob:
            raise UserError(f"{path}: git calls it {found}; want {file.git_blob}: damaged, or another file")
        return "the SHA-1 that git has of it"
    return ""


def by_hand(file: Official) -> str:
    """What to do where there is no network."""
    return f"without a network: get {file.url} elsewhere, put it at {file.place}, and type the same again"


def fix(model: str) -> str:
    """For errors about a model of FILES that is not imported yet: what to type."""
    file = FILES[model][0]
    return (
        f"run first: python -m model weights --model {model}; without a network, put {file.name} at "
        f"{file.place} before; --init none, to start from random weights"
    )

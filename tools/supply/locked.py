"""Reads the lock files of locks/: one requirement with its hashes after the other."""

import re
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


@dataclass(frozen=True)
class Locked:
    """A package at one version, where `requirement.marker` holds; the SHA-256 that its files may have."""

    requirement: Requirement
    hashes: tuple[str, ...]

    @property
    def name(self) -> str:
        """As the index spells it: lower case, hyphens."""
        return canonicalize_name(self.requirement.name)

    @property
    def version(self) -> str:
        """The one version that is locked. ValueError: the line allows others."""
        (pin,) = self.requirement.specifier
        if pin.operator != "==" or pin.version.endswith("*"):
            raise ValueError(f"{self.requirement}: want one version")
        return pin.version


def read(path: Path) -> list[Locked]:
    """The lines of a lock. ValueError: one that is no requirement, or has anything but hashes beside it."""
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    found = []
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        requirement, *words = re.split(r"\s+(?=--)", line.strip())
        hashes = [_HASH.fullmatch(word) for word in words]
        if None in hashes:
            raise ValueError(f"{path}: {line[:80]}: want nothing but SHA-256 after the requirement")
        found.append(Locked(Requirement(requirement), tuple(h[1] for h in hashes if h)))
    return found

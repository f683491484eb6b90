"""What every package holds: the engine's model for its kernels, and what describes it."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.paths import FIRMWARE
from squeezenet_mcu.common.version import license_text, version
from squeezenet_mcu.convert import engine_model
from squeezenet_mcu.convert.outputs import c_array, settings_header, tflm_arena
from squeezenet_mcu.convert.outputs.artefacts import Conversion
from squeezenet_mcu.convert.packaging import model_io
from squeezenet_mcu.convert.target import Target
from squeezenet_mcu.convert.verify import ends

EXAMPLES = FIRMWARE / "examples"
_CPUS = {
    "portable": "any 32-bit CPU",
    "v6m": "Cortex-M0, M0+ and M23",
    "dsp": "Cortex-M4, M7, and M33 with DSP",
    "mve": "Cortex-M55 and M85, with Helium",
}


@dataclass(frozen=True)
class Package:
    """`model`: the model's C files by name. `about`: what model.json says. `kernels`: as SQUEEZE_KERNELS."""

    name: str
    family: str
    kernels: list[str]
    model: dict[str, bytes]
    about: dict[str, Any]
    fit: str

    @property
    def identifier(self) -> str:
        """The model's name as part of file names and CMake targets."""
        return re.sub(r"\W", "_", self.name, flags=re.ASCII)

    @property
    def cpus(self) -> str:
        """Which CPUs it is for, in words."""
        return _CPUS[self.family]

    @property
    def sentence(self) -> str:
        """One line for a library manager."""
        i = self.about["input"]
        return (
            f"The SqueezeNet '{self.name}' for {self.cpus}: {i['width']}x{i['height']}x{i['channels']} "
            f"pixels to {self.about['classes']} classes, row by row in {self.about['arena_bytes']:,} bytes."
        )

    @property
    def paragraph(self) -> str:
        """What identifies it."""
        return (
            f"Integer arithmetic, equal to TensorFlow Lite's reference kernels in every value. Model "
            f"{self.about['engine_model_bytes']:,} bytes, SHA-256 {self.about['engine_sha256']}, of a "
            f".tflite with SHA-256 {self.about['tflite_sha256']}."
        )

    def metadata(self) -> dict[str, bytes]:
        """Files of every package's root."""
        return {
            "LICENSE": license_text(),
            "model.json": (json.dumps(self.about, indent=2) + "\n").encode(),
        }

    def sender(self) -> bytes:
        """send_picture.py, for the sketch."""
        i = self.about["input"]
        return fill(
            EXAMPLES / "send_picture.py.in",
            WIDTH=str(i["width"]),
            HEIGHT=str(i["height"]),
            MODE={1: "L", 3: "RGB"}.get(i["channels"], "RGBA"),
            FIT=self.fit,
        )


def fill(template: Path, **values: str) -> bytes:
    """The text of `template` with each @NAME@ replaced."""
    text = template.read_text(encoding="utf-8")
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text.encode()


def make(c: Conversion, manifest: dict[str, Any], target: Target) -> Package:
    """Makes the engine's model for `target`, proven as every other. UserError: it takes more than that."""
    # No labels in the blob: model_io.h has them, and the linker drops them where they are not used.
    made = engine_model.make(c.file, [], target)
    for option, limit, least in (
        ("--sram-bytes", target.sram_bytes, made.plan.arena_bytes),
        ("--flash-bytes", target.flash_bytes, len(made.content)),
    ):
        if limit is not None and least > limit:
            raise UserError(f"{option} {limit:,}: {c.name} would take {least:,} bytes; give more")
    digest = files.sha256(made.content)
    what = f"{c.name}: the engine's model for {target.family} kernels, SHA-256 {digest}; do not edit."
    header, source = c_array.c_array("g_model_sqz", made.content, what)
    described = {**manifest, "engine_sram_bytes": made.plan.arena_bytes}
    about = {
        "model": c.name,
        "version": version(),
        "tflite_sha256": manifest["tflite_sha256"],
        "engine_sha256": digest,
        "engine_model_bytes": len(made.content),
        "arena_bytes": made.plan.arena_bytes,
        "cpus": _CPUS[target.family],
        "family": target.family,
        "cores": target.workers,
        "kernels": made.kernels,
        "input": manifest["input"],
        "classes": manifest["output"]["classes"],
        "labels": c.labels,
    }
    settings = settings_header.settings_header(described, tflm_arena.resolver_methods(c.file))
    ends.check_settings(c.file, settings)
    model = {
        "model_sqz.h": header,
        "model_sqz.c": source,
        "model_settings.h": settings,
        "model_io.h": model_io.header(manifest),
    }
    contents = {name: text.encode() for name, text in model.items()}
    return Package(c.name, target.family, made.kernels, contents, about, manifest["fit"])

"""One HTML file with all in it: style, scripts, engine and model. It asks for nothing from anywhere."""

import base64
import dataclasses
import hashlib
import html
import json
import re
from pathlib import Path
from typing import Any

from squeezenet_mcu.common import files, preprocess
from squeezenet_mcu.host_tools.web.example import Example

_STATIC = Path(__file__).parent / "static"
SCRIPTS = ("engine.js", "picture.js", "frames.js", "link.js", "serial.js", "comparison.js", "app.js")
"""In this order; comparison.js and app.js are the page, the others know of no page."""
_PLACE = re.compile(r"\{\{(\w+)\}\}")


def script(names: tuple[str, ...] = SCRIPTS) -> str:
    """The scripts as one, in a scope of their own when it is the page's."""
    return "\n".join((_STATIC / name).read_text(encoding="utf-8") for name in names)


def settings(manifest: dict[str, Any], model: bytes, wasm: bytes, example: Example) -> dict[str, Any]:
    """What app.js needs to know of the network, as JSON; see its `model`."""
    source, output = manifest["input"], manifest["output"]
    channels = source["channels"]
    table = preprocess.tables(channels, source)
    return {
        "name": manifest["model"],
        "tflite_sha256": manifest["tflite_sha256"],
        "engine_sha256": files.sha256(model),
        "engine_bytes": len(model),
        "wasm_bytes": len(wasm),
        "fit": manifest["fit"],
        "labels": manifest["labels"],
        "input": {
            **{name: source[name] for name in ("height", "width", "channels")},
            "table": None if preprocess.plain(table) else _base64(table.tobytes()),
            "bytes": preprocess.byte_of(source["preprocess"], channels),
        },
        "output": {
            name: output[name]
            for name in ("softmax", "scale", "zero_point", "logits_scale", "logits_zero_point")
        },
        "example": {
            name: None if value is None else _base64(value)
            for name, value in dataclasses.asdict(example).items()
        },
    }


def base64_bytes(content: bytes) -> int:
    """What `content` takes in the page."""
    return len(_base64(content))


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def hashed(text: str) -> str:
    """As a Content-Security-Policy names the inline script or style that it lets run."""
    return f"'sha256-{_base64(hashlib.sha256(text.encode()).digest())}'"


def in_script(value: Any) -> str:
    """JSON that no script element ends in: labels are a user's own words."""
    return json.dumps(value).replace("<", "\\u003c")


def style() -> str:
    """That of pages in a browser; the live page has it, too."""
    return (_STATIC / "style.css").read_text(encoding="utf-8")


def filled(page: str, parts: dict[str, str]) -> str:
    """`page` with the part of each name in the place of {{name}}."""
    return _PLACE.sub(lambda place: parts[place[1]], page)


def html_of(manifest: dict[str, Any], model: bytes, wasm: bytes, example: Example) -> str:
    """The whole page. `model`: the bytes of model.sqz; `wasm`: engine.wasm."""
    code = f'(() => {{\n"use strict";\n{script()}\n}})();\n'
    looks = style()
    data = {"wasm": _base64(wasm), "model": _base64(model)}
    blocks = [f'<script type="text/plain" id="{name}">{text}</script>' for name, text in data.items()]
    known = in_script(settings(manifest, model, wasm, example))
    blocks.append(f'<script type="application/json" id="settings">{known}</script>')
    # Nothing may be fetched, sent or run but what stands here. app.js sets the widths of bars by the DOM.
    policy = (
        f"default-src 'none'; script-src {hashed(code)} 'wasm-unsafe-eval'; style-src {hashed(looks)}; "
        "img-src data: blob:; connect-src 'none'; base-uri 'none'; form-action 'none'"
    )
    parts = {
        "policy": html.escape(policy),
        "title": html.escape(manifest["model"]),
        "style": looks,
        "blocks": "\n".join(blocks),
        "script": code,
    }
    return filled((_STATIC / "page.html").read_text(encoding="utf-8"), parts)

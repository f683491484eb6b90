"""The page as one HTML file: its style and its scripts stand in it, and only they may run."""

import html
import secrets
from pathlib import Path
from typing import Any

from squeezenet_mcu.host_tools.live.source import Source
from squeezenet_mcu.host_tools.web import page as web

_STATIC = Path(__file__).parent / "static"
SCRIPTS = ("show.js", "camera.js", "live.js")
"""In this order, behind web's picture.js; live.js is the page."""


class Page:
    """`html`: its bytes. It belongs to this run: an older page that meets another run loads itself anew."""

    def __init__(self, manifest: dict[str, Any], source: Source) -> None:
        size = manifest["input"]
        self.run = secrets.token_hex(8)
        settings = {
            "run": self.run,
            "model": manifest["model"],
            "source": source.name,
            "camera": source.camera,
            "fit": manifest["fit"],
            "input": {name: size[name] for name in ("height", "width", "channels")},
        }
        texts = [
            web.script(("picture.js",)),
            *((_STATIC / name).read_text(encoding="utf-8") for name in SCRIPTS),
        ]
        code = "(() => {\n" + '"use strict";\n' + "\n".join(texts) + "\n})();\n"
        style = web.style() + (_STATIC / "live.css").read_text(encoding="utf-8")
        known = web.in_script(settings)
        self.html = web.filled(
            (_STATIC / "page.html").read_text(encoding="utf-8"),
            {
                "title": html.escape(manifest["model"]),
                "style": style,
                "settings": f'<script type="application/json" id="settings">{known}</script>',
                "script": code,
            },
        ).encode()
        self._hashes = web.hashed(code), web.hashed(style)

    def policy(self, host: str) -> str:
        """Its Content-Security-Policy, as it is served at `host`: only its own socket may be opened."""
        script, style = self._hashes
        return (
            f"default-src 'none'; script-src {script}; style-src {style}; img-src data:; "
            f"connect-src ws://{host}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )

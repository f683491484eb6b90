"""The headless Chromium of tools/browser for tests: skips them where something is missing; axe-core."""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from tools.browser import chromium

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
FIX = "run: ./setup.sh --tests"


class Page(chromium.Page):
    """A tab that axe-core can look at."""

    def violations(self) -> list[str]:
        """What axe-core finds that is serious or critical. Skips the test where it is not installed."""
        if not AXE.is_file():
            missing(f"axe-core is not installed; {FIX}")
        self.evaluate(AXE.read_text(encoding="utf-8") + "; true")
        found = self.evaluate("axe.run().then((found) => found.violations)")
        return [
            f"{v['impact']}: {v['id']}: {[node['html'][:200] for node in v['nodes']]}"
            for v in found
            if v["impact"] in ("serious", "critical")
        ]


def missing(reason: str) -> NoReturn:
    """Skips the test; where BROWSER_TESTS=required, as .ci/run says, it fails."""
    if os.environ.get("BROWSER_TESTS") == "required":
        pytest.fail(reason)
    pytest.skip(reason)


@contextlib.contextmanager
def opened() -> Iterator[Callable[[], Page]]:
    """Makes tabs of one browser, as long as the context. Skips the test where there is no Chromium."""
    if chromium.program() is None:
        missing(f"Chromium is not installed; {FIX}")
    with chromium.opened(Page) as new_tab:
        yield new_tab

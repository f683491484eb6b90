"""Runs import-linter, as .importlinter says: `python tools/lint/check_imports.py [CONFIG]`; exits as it does.

Not by its own program: that runs the interpreter that it was installed with, so a copied environment would
check another checkout.
"""

import sys
from pathlib import Path

from importlinter.cli import lint_imports

ROOT = Path(__file__).resolve().parents[2]

if __name__ == "__main__":
    config = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / ".importlinter")
    sys.exit(lint_imports(config, cache_dir=None))

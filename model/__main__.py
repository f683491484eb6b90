"""`python -m model COMMAND`: train, compress, import, evaluate, describe, search, draw, ship."""

import sys

from model import (
    card,
    cluster,
    curves,
    evaluate,
    import_weights,
    info,
    preview,
    prune,
    quantize,
    search,
    ship,
    train,
)
from model.cli import main

if __name__ == "__main__":
    sys.exit(
        main(
            "python -m model",
            "Train and compress a SqueezeNet.",
            [
                train,
                prune,
                cluster,
                quantize,
                preview,
                import_weights,
                evaluate,
                info,
                search,
                curves,
                ship,
                card,
            ],
        )
    )

"""`python -m model COMMAND`: train, prune, cluster, quantize, import, evaluate, describe, search."""

import sys

from model import cluster, evaluate, import_weights, info, prune, quantize, search, ship, train
from model.cli import main

if __name__ == "__main__":
    sys.exit(
        main(
            "python -m model",
            "Train and compress a SqueezeNet.",
            [train, prune, cluster, quantize, import_weights, evaluate, info, search, ship],
        )
    )

"""`python -m model COMMAND`: train, prune, cluster, quantize, preview, import, evaluate, describe."""

import sys

from model import cluster, evaluate, import_weights, info, preview, prune, quantize, ship, train
from model.cli import main

if __name__ == "__main__":
    sys.exit(
        main(
            "python -m model",
            "Train and compress a SqueezeNet.",
            [train, prune, cluster, quantize, preview, import_weights, evaluate, info, ship],
        )
    )

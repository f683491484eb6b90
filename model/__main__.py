"""`python -m model COMMAND`: train, prune, quantize, import, evaluate, describe."""

import sys

from model import evaluate, import_weights, info, prune, quantize, ship, train
from model.cli import main

if __name__ == "__main__":
    sys.exit(
        main(
            "python -m model",
            "Train and compress a SqueezeNet.",
            [train, prune, quantize, import_weights, evaluate, info, ship],
        )
    )

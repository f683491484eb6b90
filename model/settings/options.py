"""Options that several commands have."""

import argparse

from squeezenet_mcu.common.data.fits import FITS


def add_model(parser: argparse.ArgumentParser) -> None:
    """--model: which model."""
    parser.add_argument(
        "--model", default="digits", metavar="NAME|TOML", help="a shipped model or a TOML (digits)"
    )


def add_fit(parser: argparse.ArgumentParser) -> None:
    """--fit: how the images come to the network's size."""
    parser.add_argument(
        "--fit",
        choices=FITS,
        help="how images come to the network's size: crop keeps their proportions and takes the centre "
        "(default: the TOML's; else crop where the network is square and most images are not)",
    )


def add_stage(parser: argparse.ArgumentParser) -> None:
    """The options of train, prune and quantize."""
    add_model(parser)
    parser.add_argument(
        "--data",
        metavar="SOURCE",
        help="a folder with a folder per class, an .npz, digits or cifar10 (default: what the TOML says)",
    )
    parser.add_argument(
        "--seed", type=int, metavar="N", help="instead of the TOML's: same seed, same network"
    )
    parser.add_argument(
        "--epochs",
        type=int,
        metavar="N",
        help="so many epochs instead of the TOML's (train: of the float stage)",
    )
    parser.add_argument("--fresh", action="store_true", help="start over, whatever is there already")


def add_compress(parser: argparse.ArgumentParser) -> None:
    """--compress: whether the chain prunes and clusters."""
    parser.add_argument(
        "--compress",
        choices=("none",),
        help="none: neither prune nor cluster, whatever the TOML says",
    )


def add_workers(parser: argparse.ArgumentParser) -> None:
    """--workers: how many processes train together."""
    parser.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="train with N processes of this machine (1); with TF_CONFIG set, the cluster it names",
    )

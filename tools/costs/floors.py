"""What the Cortex-M4's inner loops alone would take of a network, layer by layer, beside what was measured.

  make bench MODEL=cifar10 BOARD=stm32f405 JSON=cifar10.json
  .venv/bin/python -m tools.costs.floors model/zoo/cifar10/model.tflite cifar10.json
  .venv/bin/python -m tools.costs.floors model/zoo/cifar10/model.tflite        # the floors alone

A convolution's floor is that of the best loop there is for it, at whatever size in flash and SRAM: products,
and outputs transformed, requantized and stored. All else is left out: inputs packed or transformed, weights
decoded, calls, edges. Cycles are those of Arm's table without wait states; docs/kernels/floors.md says what
follows.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from rich.table import Table

from squeezenet_mcu.common import files
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.lowering.operators import lower
from squeezenet_mcu.convert.network import Kind, Layer, Network
from squeezenet_mcu.convert.schedule.split import split

# Cycles a product, by loop (the pages of docs/kernels count them).
GEMM = 12 / 12  # 5 LDR in a row, 6 SMLAD: 2 channels x 3 pixels x 2 taps
WINOGRAD = GEMM * 24 / 72  # F(2 x 4): 24 products where the direct way takes 72
SPARSE_LIST = 21 / 12  # of a weight that is not zero: LDM 4, 2 (ADD, LDM 3, 3 SMLAL) for 2 weights x 6 pixels
FAST_FIR = GEMM * 25 / 36  # 3x3/2: 25 products where the direct way takes 36
LANES = 25 / 9 * 4 / 21  # 7x7/2: LDM 3, 3 (LDM 3, 3 SMLAL) for 9 SMLAL; 4 SMLAL for 21 products
# SMMLA, ASR, SSAT, and half of BFI, of the address's LDR and of STRH, for two channels of a pixel.
OUTPUT = 5.0
WINOGRAD_OUTPUT = 28.0  # 12 to sum down the columns (576 cycles for 48), then 16 along the rows
FAST_FIR_OUTPUT = 14.0  # of fewer sums


def floor(layer: Layer, network: Network) -> tuple[float, str]:
    """Cycles an image of a convolution at least, and by which loop."""
    out = network.buffers[layer.output]
    outputs = out.height * out.width * layer.out_channels
    density = np.count_nonzero(layer.conv.weights) / layer.conv.weights.size
    stores = OUTPUT * outputs
    loops = {"gemm": GEMM * layer.macs + stores}
    if layer.stride == (1, 1):
        loops["sparse_list"] = SPARSE_LIST * density * layer.macs + stores
        if layer.kernel == (3, 3):
            channels = network.buffers[layer.inputs[0]].channels
            padded = -(-channels // 4) * 4 / channels
            loops["winograd"] = WINOGRAD * padded * layer.macs + WINOGRAD_OUTPUT * outputs
    elif layer.kernel == (3, 3):
        loops["fast_fir"] = FAST_FIR * layer.macs + FAST_FIR_OUTPUT * outputs
    elif layer.kernel == (7, 7):
        loops["lanes"] = LANES * layer.macs + stores
    best = min(loops, key=lambda name: loops[name])
    return loops[best], best


def cycles_of(results: Path, tflite: Path) -> dict[str, int]:
    """What each layer of `tflite` took, by the first result of it with the Cortex-M4's kernels.

    UserError: there is none.
    """
    want = f"want what `make bench BOARD=stm32f405 JSON={results.name}` writes of {tflite.name}"
    try:
        content = json.loads(results.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{results}: {error}; {want}") from None
    digest = files.sha256(tflite.read_bytes())
    for result in content if isinstance(content, list) else []:
        if isinstance(result, dict) and (result.get("tflite_sha256"), result.get("engine")) == (
            digest,
            "dsp",
        ):
            rows = result.get("layers")
            if isinstance(rows, list) and all(isinstance(row.get("cycles"), int) for row in rows):
                return {str(row["layer"]): row["cycles"] for row in rows}
    raise UserError(f"{results}: no cycles of {tflite.name} with the kernels dsp; {want}")


def main() -> int:
    """Exit status 1 where a file is not what it should be."""
    try:
        return show()
    except UserError as error:
        print(f"floors: error: {error}", file=sys.stderr)
        return 1


def show() -> int:
    """Prints the table; see the module's docstring."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tflite", type=Path)
    parser.add_argument("results", type=Path, nargs="?", help="of make bench, of one network on one board")
    args = parser.parse_args()
    network = lower(tflite_file.read(args.tflite))
    split(network)
    measured = cycles_of(args.results, args.tflite) if args.results else {}
    table = Table("layer", "loop", "MACs", "floor", "measured", "times")
    sums = [0.0, 0.0]
    for layer in network.layers:
        if layer.kind is Kind.CONV_2D:
            least, loop = floor(layer, network)
            cycles = measured.get(layer.name)
            sums[0] += least
            sums[1] += cycles or 0
            table.add_row(
                layer.name, loop, f"{layer.macs:,}", f"{least:,.0f}", f"{cycles:,}" if cycles else "",
                f"{cycles / least:.2f}" if cycles else "",
            )  # fmt: skip
    table.add_row("all convolutions", "", "", f"{sums[0]:,.0f}", f"{sums[1]:,.0f}" if measured else "", "")
    Console(width=110).print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Fits the cost formulas' coefficients to what sample.py has measured, and writes coefficients.json.

  .venv/bin/python -m tools.costs.fit               # how well formulas and measurements agree
  .venv/bin/python -m tools.costs.fit --write       # and into convert/select/cost/coefficients.json
  .venv/bin/python -m tools.costs.fit --write --kernel FAST_FIR   # its own alone, the others stay

A layer's cost is the sum of its work times coefficients. They are found by least squares of the relative
errors, none below 0. Each fifth network is left out and tells how good the formulas are for layers that they
have not seen; then all are taken in.
"""

import argparse
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import nnls

from squeezenet_mcu.common import files
from squeezenet_mcu.common.kernel_families import Family
from squeezenet_mcu.convert.network import Buffer, ConvKernel, Encoding, Kind, Layer
from squeezenet_mcu.convert.select import estimate
from squeezenet_mcu.convert.select.cost import coefficients, others
from squeezenet_mcu.convert.select.cost.shape import Shape, Weights, Work, work_of_calls
from tools.costs.sample import FOLDER, STRIDED

# Whose coefficients each file of samples gives: CPU, family, unit.
SOURCES: tuple[tuple[str, Family, str, str], ...] = (
    ("mps2_an386-dsp", "dsp", "cortex_m4", "cycles"),
    ("mps2_an386-dsp", "dsp", "any", "instructions"),
    ("mps2_an386-portable", "portable", "cortex_m4", "cycles"),
    ("riscv_virt-portable", "portable", "any", "instructions"),
    ("rp2040-portable", "portable", "cortex_m0plus", "cycles"),
    ("rp2040-v6m", "v6m", "cortex_m0plus", "cycles"),
    ("rp2040-v6m", "v6m", "any", "instructions"),
    ("mps3_an547-mve", "mve", "any", "instructions"),
)
_HELD_OUT = 5
_LEAST = 2000  # of a layer's cost: smaller ones count as if they took so much
_DIGITS = 4


def paths_of(name: str, kernel: str | None) -> list[Path]:
    """The files that sample.py writes: of random networks, and of those for single kernels."""
    of_kernels = [FOLDER / f"{name}-{other.lower()}.jsonl" for other in STRIDED if kernel in (None, other)]
    return of_kernels if kernel else [FOLDER / f"{name}.jsonl", *of_kernels]


def read(path: Path, family: Family, unit: str) -> list[dict[str, Any]]:
    """The layers that were measured in `unit`, with their `work`."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    measured = [row for row in rows if row[unit] is not None]
    for row in measured:
        if "work" not in row:
            row["work"] = work_of(row, family)
    return [row for row in measured if any(row["work"].values())]


def work_of(row: dict[str, Any], family: Family) -> Work:
    """What the formulas make of a layer that sample.py has described."""
    if "how" not in row:
        source, out = (Buffer("", *sides, 1.0, 0) for sides in row["maps"])
        fields = {key: tuple(v) if isinstance(v, list) else v for key, v in row["layer"].items()}
        layer = Layer("", Kind[row["kernel"]], 0, [0], 1, **fields)
        return others.work_of(layer, source, out, family)
    kernel, encoding = row["how"]
    model = estimate.model_of(family, ConvKernel[kernel], Encoding[encoding])
    calls = [
        (Shape(**{**fields, "weights": Weights(**fields["weights"])}), count)
        for count, fields in row["calls"]
    ]
    return work_of_calls(model, calls, row["scratch"])


def fitted(rows: list[dict[str, Any]], unit: str) -> dict[str, float]:
    """The coefficients, by part."""
    parts = sorted({part for row in rows for part, count in row["work"].items() if count})
    at = {part: i for i, part in enumerate(parts)}
    work = np.zeros((len(rows), len(parts)))
    measured = np.array([max(row[unit], 1) for row in rows], float)
    for i, row in enumerate(rows):
        for part, count in row["work"].items():
            if count:
                work[i, at[part]] = count
    weights = 1 / np.maximum(measured, _LEAST)
    work *= weights[:, None]
    sizes = np.linalg.norm(work, axis=0)
    found, _ = nnls(work / sizes, measured * weights, maxiter=100_000)
    return {part: float(value) for part, value in zip(parts, found / sizes, strict=True)}


def errors(rows: list[dict[str, Any]], unit: str, by: dict[str, float]) -> dict[str, list[tuple[float, str]]]:
    """Formula over measurement, less 1, by kernel; with the layer's name."""
    found: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for row in rows:
        said = sum(count * by.get(part, 0.0) for part, count in row["work"].items())
        found[row["kernel"]].append((said / max(row[unit], _LEAST) - 1, f"{row['seed']}/{row['name']}"))
    return found


def show(title: str, found: dict[str, list[tuple[float, str]]]) -> None:
    """A line a kernel."""
    print(f"\n{title}\n{'kernel':24} layers  median   90 %    most  at")
    for kernel, pairs in sorted(found.items()):
        sizes = np.abs([error for error, _ in pairs])
        worst, where = max(pairs, key=lambda pair: abs(pair[0]))
        middle, high = np.median(sizes), np.quantile(sizes, 0.9)
        print(f"{kernel:24} {len(pairs):6} {middle:7.1%} {high:7.1%} {worst:+7.1%}  {where}")


def main() -> int:
    """Fits all sources that have been measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help=f"write {coefficients.FILE.name}")
    parser.add_argument("--kernel", choices=STRIDED, help="of which sample.py has measured networks")
    parser.add_argument("--only", help="a CPU and a family, as in the file: 'cortex_m4 dsp'")
    args = parser.parse_args()
    written = json.loads(coefficients.FILE.read_text(encoding="utf-8")) if coefficients.FILE.is_file() else {}
    for name, family, cpu, unit in SOURCES:
        key = coefficients.key(cpu, family)
        paths = [path for path in paths_of(name, args.kernel) if path.is_file()]
        if not paths or args.only not in (None, key):
            continue
        rows = [row for path in paths for row in read(path, family, unit)]
        if args.kernel:
            rows = [row for row in rows if row.get("how", [None])[0] == args.kernel]
        seen = [row for row in rows if row["seed"] % _HELD_OUT]
        unseen = [row for row in rows if row["seed"] % _HELD_OUT == 0]
        show(f"{key}, {unit}, layers left out", errors(unseen, unit, fitted(seen, unit)))
        found = {part: float(f"{value:.{_DIGITS}g}") for part, value in fitted(rows, unit).items()}
        written[key] = dict(sorted((written[key] | found).items())) if args.kernel else found
    if args.write:
        files.write_json(coefficients.FILE, written)
        print(f"wrote {coefficients.FILE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

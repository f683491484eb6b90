"""GEMM (dsp/gemm.h, gemm_small.h): windows widened to int16, 2 channels by 3 or 2 pixels."""

from collections.abc import Callable

from squeezenet_mcu.convert.network import ConvKernel, Encoding
from squeezenet_mcu.convert.select.cost.groups import groups_of
from squeezenet_mcu.convert.select.cost.huffman import entropy_coded
from squeezenet_mcu.convert.select.cost.shape import KernelModel, Shape, Work, supports_any, up

SMALL_TAPS = 64  # up to so many accumulation and requantization are fused (dsp/gemm_small.h)
_FEW = range(8, 13)  # bytes of a kernel row that im2col.cc copies as three words


def _gemm_scratch(s: Shape, pixels: int) -> int:
    padded = up(s.taps, 4)
    return 4 * padded + max(pixels, 3) * (2 * padded + 8)


def _small(s: Shape) -> bool:
    usual = s.rounding == "relu" and s.weights.usual
    return 4 <= s.taps <= SMALL_TAPS and s.out_channels % 2 == 0 and usual


def _fitting(s: Shape, scratch: int) -> int:
    padded = up(s.taps, 4)
    return max((scratch - 4 * padded) // (2 * padded + (4 if _small(s) else 8)), 3)


def _gemm_chunks(s: Shape, scratch: int) -> int:
    return groups_of(s.pixels, _fitting(s, scratch)).chunks


def _windows(s: Shape, doubled: bool) -> Work:
    """Of im2col.cc: how the windows' pixels come to the scratch."""
    padded, rows = up(s.taps, 4), s.pixels * s.kernel_h
    row_taps = s.kernel_w * s.in_channels
    edges = (s.out_width - s.inside) * s.out_rows * s.kernel_h
    way = "doubled" if doubled else "plain"
    plain_row = s.stride_h == s.stride_w == 1 and s.pad_left == 0 and s.in_width == s.out_width
    if s.kernel_h == s.kernel_w == 1 and plain_row and s.in_channels % 4 == 0:
        return {f"windows.straight_{way}": s.pixels * padded, f"windows.straight_{way}_pixels": s.pixels}
    if row_taps % 4 == 0:
        collected = edges + (rows - edges) * s.absent
        if s.in_channels % 4:
            collected = rows * 0.75  # rows that do not begin on a word
        return {
            f"windows.rows_{way}": rows,
            f"windows.rows_{way}_taps": s.pixels * padded,
            "windows.collected": collected,
        }
    lines: Work = {f"windows.lines_{way}_taps": s.pixels * padded, "windows.lines": s.pixels}
    if row_taps in _FEW:
        return lines | {"windows.few_rows": rows - edges, "windows.whole_rows": edges}
    return lines | {"windows.whole_rows": rows, "windows.whole_taps": s.pixels * s.taps}


def _gemm_work(s: Shape, scratch: int, unpack: Callable[[Shape], Work]) -> Work:
    groups = groups_of(s.pixels, _fitting(s, scratch))
    small = _small(s)
    name = "gemm_small" if small else "gemm"
    steps = up(s.taps, 4) / 2 * s.pairs
    doubled = not small and s.out_channels > groups.largest
    work = {
        f"{name}.calls": 1,
        f"{name}.chunks": groups.chunks,
        f"{name}.pairs": groups.chunks * s.pairs,
        f"{name}.threes": groups.threes * s.pairs,
        f"{name}.twos": groups.twos * s.pairs,
        f"{name}.three_steps": groups.threes * steps,
        f"{name}.two_steps": groups.twos * steps,
    }
    if not small:
        work[f"gemm.{s.rounding}"] = s.pixels * s.out_channels
    for part, count in unpack(s).items():
        work[part] = groups.chunks * count
    return work | _windows(s, doubled)


def _dense(s: Shape) -> Work:
    aligned = "aligned" if s.taps % 4 == 0 else "shifted"
    return {f"gemm.dense_{aligned}": s.taps * s.out_channels}


def _sparse(s: Shape) -> Work:
    return {"gemm.nonzeros": s.nonzeros, "gemm.zeros": s.taps * s.out_channels}


def _decoded(s: Shape) -> Work:
    return {"gemm.dense_aligned": s.taps * s.out_channels}


def _gemm(encoding: Encoding, unpack: Callable[[Shape], Work]) -> KernelModel:
    return KernelModel(
        ConvKernel.GEMM,
        encoding,
        supports_any,
        lambda s: _gemm_scratch(s, 3),
        lambda s: _gemm_scratch(s, s.pixels),
        lambda s, scratch: _gemm_work(s, scratch, unpack),
    )


KERNELS = [_gemm(Encoding.DENSE, _dense), _gemm(Encoding.SPARSE, _sparse)]
KERNELS.append(entropy_coded(_gemm(Encoding.DENSE, _decoded), _gemm_chunks))

"""What a user of `profile` sees in a terminal of 80 columns, and what a mistake leaves alone."""

import io
from types import SimpleNamespace

from squeezenet_mcu.common.terminal import Console
from squeezenet_mcu.host_tools import console
from squeezenet_mcu.host_tools.profile import command, figures
from squeezenet_mcu.host_tools.profile.figures import Layer, Profile
from tests.update import emulated


def test_a_layer_is_one_line_of_80_columns():
    layers = [
        Layer("fire3/squeeze1x1", "winograd_words", 147_456, 15_546_837, 4),
        Layer(figures.SCHEDULE, "", 0, 164_899, 12),
    ]
    shown = io.StringIO()
    info = SimpleNamespace(board="rp2040", sram_total_bytes=270_336)
    command.show(
        Console(file=shown, width=80), Profile("cycles", 125_000_000, layers, 15_711_736, 0, 0), "net", info
    )
    lines = [line.split() for line in shown.getvalue().splitlines()]
    assert ["fire3/squeeze1x1", "winograd_words", "147,456", "15,546,837", "124.375"] in [
        line[:5] for line in lines
    ]
    assert any(line[:4] == [*figures.SCHEDULE.split(), "164,899"] for line in lines)


def test_a_wrong_board_costs_no_old_profile(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    emulated.converted(tmp_path, "digits", 0)
    old = [tmp_path / "build" / "digits" / f"profile.{end}" for end in ("json", "png")]
    for path in old:
        path.write_text("{}")
    assert console.host_tools(["profile", "--model", "digits", "--board", "nucleo_f446re"]) == 1
    assert "nucleo_f446re-inspect/firmware.elf: missing; run: " in capsys.readouterr().err
    assert [path.read_text() for path in old] == ["{}", "{}"]

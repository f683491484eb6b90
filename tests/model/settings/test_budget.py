"""[budget] of a TOML, the options that beat it, and what is said where a network exceeds it."""

import argparse
import shutil

import pytest

from squeezenet_mcu.common import cli, start
from squeezenet_mcu.common.command_line import spoken
from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.common.paths import CONFIGS
from squeezenet_mcu.model.settings import budget, config, model_budget
from squeezenet_mcu.model.settings.budget import Budget, Figures, Limit


def options(*words):
    parser = cli.Parser(prog="tool")
    budget.add_arguments(parser)
    return parser.parse_args(list(words))


@pytest.fixture
def toml(tmp_path):
    """The settings of digits with this table [budget]."""

    def write(table):
        path = tmp_path / "digits.toml"
        shutil.copy(CONFIGS / "digits.toml", path)
        with path.open("a") as stream:
            stream.write(f"\n[budget]\n{table}\n")
        return path

    return write


def test_the_tables_limits(toml):
    path = toml('max_flash = "64K"\nmax_sram = 20000\nmax_ms = 20.5\nmin_accuracy = 0.97')
    assert config.load(path).budget == Budget(
        Limit(65536, "[budget] max_flash = 65,536 in digits.toml"),
        Limit(20000, "[budget] max_sram = 20,000 in digits.toml"),
        Limit(20.5, "[budget] max_ms = 20.5 in digits.toml"),
        Limit(0.97, "[budget] min_accuracy = 0.97 in digits.toml"),
    )
    assert config.load("digits").budget == Budget()


@pytest.mark.parametrize("key", budget.KEYS)
@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", '"64X"', '""', "true", "[1]", "1e300"])
def test_bad_values_of_the_table_are_one_line(toml, key, value):
    path = toml(f"{key} = {value}")
    with pytest.raises(UserError) as error:
        config.load(path)
    said = str(error.value)
    assert said.startswith(f"{path}: [budget] {key} = ") and "; want a" in said and "\n" not in said


def test_an_accuracy_is_a_share_and_no_percentage(toml):
    with pytest.raises(
        UserError, match=r"min_accuracy = 97; want a share over 0 and at most 1: 0\.97 for 97"
    ):
        config.load(toml("min_accuracy = 97"))


def test_a_key_that_is_not_known(toml):
    with pytest.raises(UserError, match=r"\[budget\] max_rom = 1; want no such key; known here: max_flash, "):
        config.load(toml("max_rom = 1"))


@pytest.mark.parametrize("key", budget.KEYS)
@pytest.mark.parametrize("value", ["0", "-1", "nan", "64X", "inf", "1e300"])
def test_bad_values_of_options_are_one_line(capsys, key, value):
    option = f"--{key.replace('_', '-')}"
    with pytest.raises(SystemExit) as ended:
        options(f"{option}={value}")
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert said.startswith(f'tool: error: argument {option}: "{value}": want a ') and said.count("\n") == 1


def test_options_beat_the_table(toml):
    own = config.load(toml("max_flash = 1000\nmax_ms = 3")).budget
    found = budget.of(options("--max-flash", "2K", "--min-accuracy", "0.9"), own)
    assert found == Budget(
        Limit(2048, "--max-flash 2,048"), None, own.max_ms, Limit(0.9, "--min-accuracy 0.9")
    )


def test_the_models_toml_is_found(toml, tmp_path, monkeypatch, capsys):
    """By the path that was typed, by what was converted, or by the name of a shipped model."""
    path = str(toml("max_ms = 3"))
    for model, inputs in ((path, ()), ("digits", ("net.keras", path)), ("mine", (path,))):
        assert model_budget.of(options(), model, inputs).max_ms.value == 3
    assert model_budget.of(options(), "digits") == Budget()
    assert model_budget.of(options("--max-ms", "5"), "mine").max_ms.value == 5
    assert capsys.readouterr().out == ""
    assert model_budget.of(options(), "mine", ("gone.toml",)) == Budget()
    assert "gone.toml is gone; if it has a [budget], that is not looked at" in capsys.readouterr().out


WITHIN = {"flash": 46_000, "sram": 20_000, "ms": 20.0, "accuracy": 0.97}
LIMITS = ("--max-flash", "46000", "--max-sram", "20000", "--max-ms", "20", "--min-accuracy", "0.97")


def test_within_the_budget_nothing_is_said():
    assert budget.check(budget.of(options(*LIMITS)), Figures("x", **WITHIN)) == []


@pytest.mark.parametrize(
    ("figures", "says"),
    [
        (
            {"flash": 48_364},
            "x takes 48,364 bytes of flash, 2,364 more than --max-flash 46,000; "
            "take a smaller network or --optimize flash",
        ),
        (
            {"flash": 46_001, "optimize": "flash"},
            "x takes 46,001 bytes of flash, 1 more than --max-flash 46,000; take a smaller network",
        ),
        (
            {"sram": 20_001},
            "x takes 20,001 bytes of SRAM, 1 more than --max-sram 20,000; "
            "take a smaller input or --optimize sram",
        ),
        (
            {"ms": 20.5},
            "x takes 20.500 ms an image, 0.500 more than --max-ms 20; "
            "take a smaller network or a faster board",
        ),
        (
            {"accuracy": 0.965},
            "x has 96.50% right, 0.50 points less than --min-accuracy 0.97; train longer or compress less",
        ),
        (
            {"flash": "why"},
            "x: its bytes of flash are not known: why; so it does not meet --max-flash 46,000",
        ),
        ({"sram": "why"}, "x: its bytes of SRAM are not known: why; so it does not meet --max-sram 20,000"),
        ({"ms": "why"}, "x: its ms an image are not known: why; so it does not meet --max-ms 20"),
        ({"accuracy": "why"}, "x: its accuracy is not known: why; so it does not meet --min-accuracy 0.97"),
    ],
)
def test_what_exceeds_the_budget_or_is_not_known_is_one_sentence(figures, says):
    limits = budget.of(options(*LIMITS))
    assert budget.check(limits, Figures("x", **WITHIN | figures)) == [says]
    with pytest.raises(UserError) as error:
        budget.enforce(limits, Figures("x", **WITHIN | figures))
    assert str(error.value) == says


def test_a_command_looks_at_its_own_figures_only():
    assert budget.check(budget.of(options(*LIMITS)), Figures("x", flash=1)) == []


def test_make_reads_its_own_variables(monkeypatch):
    monkeypatch.setattr(start, "by_make", lambda: True)
    limits = budget.of(options(*LIMITS))
    figures = Figures("x", flash=48_364, sram="why", ms=21, accuracy=0.1)
    said = spoken.as_typed(
        "; ".join(budget.check(limits, figures)), vars(options(*LIMITS)) | {"optimize": "speed"}
    )
    for words in (
        "than MAX_FLASH=46,000;",
        " or OPTIMIZE=flash;",
        "meet MAX_SRAM=20,000;",
        "MIN_ACCURACY=0.97;",
    ):
        assert words in said
    assert "--" not in said


def test_a_conversion_without_labelled_images_has_no_accuracy():
    assert model_budget.accuracy_of({"model": "toy", "accuracy": {"int8_top1": 0.5}}) == 0.5
    assert model_budget.accuracy_of({"model": "toy", "accuracy": None}) == (
        "toy was converted without labelled images of its classes (--data)"
    )


def test_limits_need_no_namespace_of_all_options():
    assert budget.of(argparse.Namespace(max_flash=1000)).max_flash == Limit(1000, "--max-flash 1,000")

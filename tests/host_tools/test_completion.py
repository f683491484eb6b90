"""The scripts that complete words, run by the shells themselves."""

import shutil
import subprocess

import pytest

from squeezenet_mcu.common.paths import CONFIGS
from squeezenet_mcu.host_tools import completion, console
from squeezenet_mcu.host_tools.boards import board_toml

BOARDS = " ".join(board_toml.names())
MODELS = " ".join(sorted(path.stem for path in CONFIGS.glob("*.toml")))
# Stands for what zsh's bashcompinit does around the function.
ZSH = "emulate -L sh; setopt kshglob noshglob braceexpand ksharrays; complete() { }\n"
CALL = """
COMP_WORDS=({words})
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_squeezenet_mcu
echo "${{COMPREPLY[@]}}"
"""


@pytest.fixture(scope="module")
def verbs():
    return completion.verbs()


@pytest.fixture
def completed(tmp_path, verbs):
    """What a shell offers for the words of a command line, the last of which is being typed."""
    (tmp_path / "build/flowers").mkdir(parents=True)
    (tmp_path / "build/flowers/manifest.json").touch()
    evil = tmp_path / "build" / "$(touch ran)"
    evil.mkdir()
    (evil / "manifest.json").touch()

    def run(shell: str, *words: str) -> str:
        if shutil.which(shell) is None:
            pytest.skip(f"{shell} is not installed")
        quoted = " ".join(f"'{word}'" for word in ("squeezenet-mcu", *words))
        script = completion.bash(verbs) + CALL.format(words=quoted)
        done = subprocess.run(
            [shell, "-c", (ZSH if shell == "zsh" else "") + script],
            cwd=tmp_path, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stderr == "" and not (tmp_path / "ran").exists()
        return done.stdout.strip()

    return run


@pytest.mark.parametrize("shell", ["bash", "zsh"])
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["va"], "validate"),
        (["--v"], "--version"),
        (["firmware", "--opt"], "--optimize"),
        (["firmware", "--optimize", ""], "speed flash sram"),
        (["validate", "--board", ""], BOARDS),
        (["validate", "--board", "rp"], "rp2040"),
        (["train", "--model", ""], f"{MODELS} flowers"),
        (["train", "--model", "fl"], "flowers"),
        (["train", "--data", ""], ""),  # a file: the shell's own
        (["classify", ""], ""),
        (["classify", "--sa"], "--save"),
        (["completion", "z"], "zsh"),
        (["nonsense", "--"], ""),
    ],
)
def test_what_is_offered(completed, shell, words, offered):
    assert completed(shell, *words) == offered


def test_an_equals_sign(completed):
    assert completed("bash", "validate", "--board", "=", "rp") == "rp2040"  # as bash takes it apart
    assert completed("bash", "validate", "--board", "=") == BOARDS
    assert completed("zsh", "validate", "--board=rp") == "--board=rp2040"


def test_every_verb_and_option_is_in_it(verbs):
    assert {verb.name for verb in verbs} == set(console._MODEL | console._CONVERT | console._HOST_TOOLS)
    options = {verb.name: {option.name for option in verb.options} for verb in verbs}
    assert {"--port", "--board", "--data", "--limit"} <= options["validate"]
    assert "--kernels" not in options["firmware"]  # an old spelling


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_takes_its_script(shell, tmp_path, capsys):
    assert console.main(["completion", shell]) == 0
    script = tmp_path / "script"
    script.write_text(capsys.readouterr().out)
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    subprocess.run([shell, "-n", script], check=True)


def test_fish(tmp_path, verbs):
    if shutil.which("fish") is None:
        pytest.skip("fish is not installed")
    script = tmp_path / "script"
    script.write_text(completion.fish(verbs))

    def offered(line: str) -> list[str]:
        ask = f"source {script}; complete -C '{line}'"
        done = subprocess.run(["fish", "-c", ask], capture_output=True, text=True, check=True)
        return [each.split("\t")[0] for each in done.stdout.splitlines()]

    assert offered("squeezenet-mcu va") == ["validate"]
    assert offered("squeezenet-mcu validate --board rp") == ["rp2040"]
    assert offered("squeezenet-mcu firmware --opt") == ["--optimize"]

"""libFuzzer finds nothing in the device's end of the link, the engine's models, MLPerf Tiny's commands.

`make fuzz` runs it for longer. In `make test`: the committed corpus, and some seconds of what comes of it.
"""

import re

import pytest

from squeezenet_mcu.common.errors import UserError
from tests.fuzz import __main__ as command
from tests.fuzz import fuzzing
from tests.fuzz.fuzzing import TARGETS, Target

LONG = {"link": 10_000_000, "model": 10_000_000, "commands": 10_000_000, "handlers": 500_000}
SHORT = {"link": 20_000, "model": 10_000, "commands": 10_000, "handlers": 1000}
# Places in the code that the committed corpus reaches; fewer, and it has lost what it was kept for.
EDGES = {"link": 200, "model": 1000, "commands": 140, "handlers": 180}
MOST_BYTES = 12_000  # of a committed corpus


@pytest.fixture(scope="module", autouse=True)
def built():
    if fuzzing.compiler() is None:
        pytest.skip(f"needs a clang++ with libFuzzer (Debian: {fuzzing.PACKAGES})")
    fuzzing.build()


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_the_corpus_and_some_thousand_inputs_made_of_it(target, tmp_path):
    assert target.corpus.stat().st_size < MOST_BYTES
    seeds = fuzzing.unpack(target, tmp_path)
    limits = ["-seed=1", f"-runs={SHORT[target.name]}"]
    done = fuzzing.run(target, [seeds], tmp_path / "findings", limits)
    assert done.executions >= SHORT[target.name]
    assert done.edges > EDGES[target.name]
    assert not list((tmp_path / "findings").iterdir())


@pytest.mark.long
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_millions_of_inputs(target, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "BUILD", tmp_path)
    command.fuzz(target, 0, LONG[target.name])
    said = capsys.readouterr().out
    assert said.endswith("nothing found\n")
    executions = int(
        re.search(rf"{target.name}: ([\d,]+) executions", said.splitlines()[-1])[1].replace(",", "")
    )
    assert executions >= LONG[target.name]


def test_a_finding_is_one_line_that_names_the_input(tmp_path):
    """A stand-in for a target that fails as the programs here do."""
    (tmp_path / "fuzz_stand_in").write_text(
        "#!/bin/sh\n"
        "echo '#5 NEW    cov: 7 ft: 8' >&2\n"
        "echo 'fuzz_stand_in: says something unasked' >&2\n"
        f"echo 'artifact_prefix=x; Test unit written to {tmp_path}/crash-1' >&2\n"
        "exit 77\n"
    )
    (tmp_path / "fuzz_stand_in").chmod(0o755)

    class StandIn(Target):
        @property
        def program(self):
            return tmp_path / "fuzz_stand_in"

    with pytest.raises(UserError) as error:
        fuzzing.run(StandIn("stand_in", 10, 10), [], tmp_path / "findings", [])
    assert str(error.value) == (
        f"fuzz_stand_in: says something unasked; the input: {tmp_path}/crash-1; again: "
        f"{tmp_path}/fuzz_stand_in {tmp_path}/crash-1"
    )


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--time=0"], "--time 0: want a number above 0"),
        (["--runs=-1"], "--runs -1: want a number above 0"),
        (["--time=1", "--runs=1"], "--time and --runs: want one of them"),
    ],
)
def test_mistakes_are_one_line(monkeypatch, capsys, words, says):
    monkeypatch.setattr("sys.argv", ["fuzz", *words])
    assert command.main() == 1
    assert says in capsys.readouterr().err

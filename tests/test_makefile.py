"""What is typed for a variable of make reaches Python as it is, or is refused; nothing in it runs."""

import re
import subprocess

import pytest

from squeezenet_mcu.common.paths import FIRMWARE

ROOT = FIRMWARE.parent
# In place of Python: notes the words of each call, of which there are many. A word has no line end here.
RECORDER = r"""#!/bin/sh
for word do printf '%s\0' "$word"; done >> calls
printf '\n' >> calls
"""
STAMPS = (".venv/.ready", ".venv/.ready-tests")
# A verb, and the variables that it hands on.
VERBS = {
    "convert": (
        "TFLITE PREPROCESS FIT WEIGHTS CALIBRATION WEIGHT_BITS LABELS DATA PACKAGE OPTIMIZE KERNEL_FAMILY "
        "KERNELS SRAM_BYTES FLASH_BYTES ENCODING CORES ENGINE"
    ),
    "firmware": "BOARD TFLM_INCLUDE TFLM_LIB TFLM_ARENA_BYTES MAX_FLASH MAX_SRAM PROTOCOL",
    "train": "NAME DATA EPOCHS SEED INIT COMPRESS WORKERS LIMIT BOARD JSON",
    "quantize": "COMPRESS",
    "zoo": "DATA TEACHER",
    "search": "DATA",
    "import": "WEIGHTS",
    "weights": "WEIGHTS URL",
    "summary": "BOARD DATA",
    "analyze": "TFLITE BOARD CORES JSON MAX_FLASH MAX_SRAM MAX_MS",
    "evaluate": "DATA LIMIT ENGINE_LIMIT JSON MIN_ACCURACY",
    "flash": "TOOL PORT ELF OPTIMIZE ENGINE BOARD",
    "selftest": "PORT BOARD",
    "validate": "DATA LIMIT JSON PORT PORTS FAULTS TRACE SPEED",
    "live": "SOURCE LIMIT LISTEN JSON PORT SPEED",
    "profile": "DATA JSON PORT",
    "report-hardware": "PORT JSON REPORT ENGINE",
    "classify": "IMAGE SAVE JSON PORT ENGINE",
    "bench": "JSON BOARD MAX_MS",
    "key": "KEY",
    "upload": "PORT KEY OLD JSON BOARD OPTIMIZE SPEED",
    "claims": "WEIGHTS DATA LIMIT JSON",
    "report": "BOARD DATA LIMIT JSON",
    "compare": "A B JSON",
    "fuzz": "TIME RUNS",
    "licences": "JSON",
}
VALUES = [
    "`touch ran`", 'a"; touch ran; "', "'; touch ran; '", "$(touch ran)", "$$(touch ran)",
    "$(shell touch ran)", "${shell touch ran}", "$(error x)", "a b", "a ", "it's", '"', "\\", "a\\", "-x",
    "--help", "#x", "x#y", "%x", "a;b", "a|touch ran", "a&touch ran", ">ran", "*", "~", "!x", "$HOME", "@x",
    "a=b", "ä 漢", "\x1b[31m", "a,b", "(", "$(", "$", "mean=124:116.5:104,std=-58,order=bgr",
]  # fmt: skip
UNUSUAL = [value for value in VALUES if not re.fullmatch(r"[\w./+-]+", value, re.ASCII)]
FLAGS = {
    "train": "FRESH ONLY",
    "convert": "TRUST",
    "flash": "DRY_RUN INSPECT",
    "bench": "CHECK LAYERS FUNCTIONS UPDATE",
    "search": "FRESH PUBLISH",
    "firmware": "UPDATE",
    "upload": "FRESH DRY_RUN",
    "validate": "USB RESUME LAYERS INSPECT",
    "live": "USB OPEN STAY INSPECT",
    "profile": "USB",
}


# What a verb wants beside others: the time that zoo takes is nothing to begin by mistake; a board, firmware.
ALSO = {"zoo": {"MODEL": "digits"}, "classify": {"BOARD": "stm32f405"}}


@pytest.fixture
def make(tmp_path):
    """Runs a verb of a copy of the Makefile; returns the calls of Python that it made, and make itself."""
    (tmp_path / "Makefile").write_text((ROOT / "Makefile").read_text())
    recorder = tmp_path / "python"
    recorder.write_text(RECORDER)
    recorder.chmod(0o755)
    (tmp_path / ".venv").mkdir()
    for stamp in STAMPS:
        (tmp_path / stamp).touch()
    for name in ("pyproject.toml", "setup.sh"):
        (tmp_path / name).touch()
    (tmp_path / "convert").mkdir()
    nearest = tmp_path / "common/command_line/nearest.py"
    nearest.parent.mkdir(parents=True)
    nearest.write_text((ROOT / "common/command_line/nearest.py").read_text())

    def run(verb, **given):
        if isinstance(verb, str) and verb in ALSO and not (verb == "classify" and "PORT" in given):
            given = ALSO[verb] | given
        (tmp_path / "calls").write_text("")
        words = [f"{name}={value}" for name, value in given.items()]
        verbs = [verb] if isinstance(verb, str) else verb
        command = [
            "make",
            "--no-print-directory",
            *(f"-o{stamp}" for stamp in STAMPS),
            "PYTHON=./python",
            *verbs,
            *words,
        ]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        assert not (tmp_path / "ran").exists(), f"{verb}: {given} ran"
        lines = (tmp_path / "calls").read_bytes().decode().split("\n")[:-1]
        return [line.split("\0")[:-1] for line in lines], done

    return run


def words_of(make, verb, names, value):
    """The words of all calls of Python where each of the variables `names` has the value."""
    calls, done = make(verb, **dict.fromkeys(names.split(), value))
    assert done.returncode == 0, f"{verb}: {done.stderr}"
    return [word for call in calls for word in call]


def some(verbs, value):
    """For a quick run: of ten verbs one, each time others, so that each has a few of the values."""
    return list(verbs)[VALUES.index(value) % 10 :: 10]


def assert_reaches_python(make, value, verbs):
    for verb in verbs:
        names = VERBS[verb]
        words = words_of(make, verb, names, value)
        for name in names.split():
            option = "model" if name == "TEACHER" else name.lower().replace("_", "-")
            wanted = f"--{option}={value}"
            assert wanted in words, f"{verb} {name}: {words}"


@pytest.mark.parametrize("value", VALUES, ids=ascii)
def test_values_reach_python_as_they_are(make, value):
    assert_reaches_python(make, value, some(VERBS, value))


@pytest.mark.long
@pytest.mark.parametrize("value", VALUES, ids=ascii)
def test_values_reach_python_from_every_verb(make, value):
    assert_reaches_python(make, value, VERBS)


@pytest.mark.parametrize("value", ["1", "yes", "true", "0", "no", "false"])
def test_switches(make, value):
    for verb, names in FLAGS.items():
        words = words_of(make, verb, names, value)
        switches = {f"--{name.lower().replace('_', '-')}" for name in names.split()}
        assert switches & set(words) == (switches if value in ("1", "yes", "true") else set())


def assert_refused(make, value, verbs):
    for verb in verbs:
        for name in FLAGS[verb].split():
            calls, done = make(verb, **{name: value})
            assert done.returncode == 2 and not calls, f"{verb} {name}"
            assert re.fullmatch(
                rf"Makefile:\d+: \*\*\* {name}=: want 1, or 0 for no\.  Stop\.\n", done.stderr
            )


@pytest.mark.parametrize("value", VALUES, ids=ascii)
def test_switches_of_another_value_are_refused(make, value):
    assert_refused(make, value, some(FLAGS, value))


@pytest.mark.long
@pytest.mark.parametrize("value", VALUES, ids=ascii)
def test_switches_of_another_value_are_refused_by_every_verb(make, value):
    assert_refused(make, value, FLAGS)


@pytest.mark.parametrize("value", ["", " ", "\t", "  \t "], ids=ascii)
@pytest.mark.parametrize("name", ["TFLITE", "PORT", "DRY_RUN", "DATA", "BOARD", "FRESH"])
def test_a_blank_value_is_refused(make, name, value):
    """make takes it for none: `TFLITE=$(ls nothing)` converted digits, `DRY_RUN=" "` wrote to the board."""
    for verb in ("convert", "flash", "validate", "train"):
        calls, done = make(verb, **{name: value})
        assert done.returncode == 2 and not calls
        assert f"*** {name}=: is empty or blank; want a value, or leave it out.  Stop." in done.stderr


@pytest.mark.parametrize(
    "value", [v for v in VALUES if not re.fullmatch(r"[\w./+-]+", v, re.ASCII)] + [""], ids=ascii
)
@pytest.mark.parametrize("verb", ["convert", "validate", "zoo"])
def test_a_models_name_that_make_would_take_apart_is_refused(make, verb, value):
    calls, done = make(verb, MODEL=value)
    assert done.returncode == 2 and not calls
    assert not value or "; rename the file; want" in done.stderr
    assert re.fullmatch(
        r"Makefile:\d+: \*\*\* MODEL=: .*; want the name of a model or its TOML\.  Stop\.\n", done.stderr
    )


@pytest.mark.parametrize("name", ["-x", "digits", "my/own.toml", "../v1.0+b.toml", "A_9"])
def test_any_other_name_is_handed_on(make, name):
    calls, _ = make("convert", MODEL=name)
    assert calls == [["-m", "convert", f"--model={name}"]]


@pytest.mark.parametrize("verb", ["convert", "train", "bench"])
def test_a_line_end_is_refused(make, verb):
    given = {"JSON": "a\nb"} if verb == "bench" else {"DATA": "a\ntouch ran\n"}
    calls, done = make(verb, **given)
    assert done.returncode == 2 and not calls
    assert done.stderr.count("\n") == 1 and "holds a line end; want one line" in done.stderr


def test_candidates_are_words(make):
    calls, _ = make("search", CANDIDATES="one `touch ran` it's")
    (call,) = calls
    assert call[call.index("--only") :] == ["--only", "one", "`touch", "ran`", "it's"]


def test_every_variable_of_the_makefile_is_tried():
    text = (ROOT / "Makefile").read_text()
    handed_on = set(re.findall(r"\$\(call option,(\w+)\)", text))
    handed_on |= set(re.findall(r"quoted,([A-Z]\w*)\)", text)) - {"PYTHON"}
    tried = {name for names in VERBS.values() for name in names.split()}
    assert handed_on - tried == {"MODEL"}  # which has tests of its own
    switches = set(re.findall(r"\$\(call flag,(\w+)\)", text))
    assert switches - {name for names in FLAGS.values() for name in names.split()} == {"BUILD"}
    assert set(known("VARIABLES")) == handed_on | switches | {"MODEL", "BOARD", "PYTHON", "CANDIDATES"}


def test_a_teacher(make):
    calls, _ = make("zoo", TEACHER="$(shell touch ran) '")
    assert "--model=$(shell touch ran) '" in calls[0]


def test_no_recipe_has_a_value_as_it_is():
    """A variable that may be typed stands in a recipe through `quoted`, `option`, `flag` or `value` alone."""
    text = (ROOT / "Makefile").read_text()
    names = "|".join(known("VARIABLES"))
    recipes = "\n".join(line for line in text.split("\n") if line.startswith("\t"))
    assert not re.findall(rf"\$[({{](?:{names})[)}}:]", recipes)


def test_a_variable_that_is_not_known(make):
    calls, done = make("firmware", BORD="stm32f405")
    assert done.returncode == 2 and not calls
    line = r"Makefile:\d+: \*\*\* BORD=: no such variable \(did you mean BOARD=\?\); make help lists them.*\n"
    assert re.fullmatch(line, done.stderr)
    for word in ("MODLE", "image", "MAX_FALSH", "KERNELFAMILY"):
        meant = {"MODLE": "MODEL", "image": "IMAGE", "MAX_FALSH": "MAX_FLASH"}.get(word, "KERNEL_FAMILY")
        assert f"{word}=: no such variable (did you mean {meant}=?)" in make("train", **{word: "1"})[1].stderr
    assert "XYZZY=: no such variable; want MODEL BOARD " in make("train", XYZZY="1")[1].stderr


def test_without_a_python_a_variable_that_is_not_known_is_answered_with_all(make, tmp_path):
    (tmp_path / "common/command_line/nearest.py").unlink()
    calls, done = make("firmware", BORD="stm32f405")
    assert done.returncode == 2 and not calls
    assert re.match(r"Makefile:\d+: \*\*\* BORD=: no such variable; want MODEL BOARD ", done.stderr)


def known(name):
    """The words of a list of the Makefile."""
    (words,) = re.findall(rf"^{name} := ((?:.*\\\n)*.*)$", (ROOT / "Makefile").read_text(), re.M)
    return words.replace("\\\n", "").split()


def assert_handed_on_or_refused(make, verb, tried):
    """Those of the variables `tried` that `verb` takes are all that it says it takes."""
    plain = [] if verb == "clean" else make(verb)[0]
    taken = []
    for name in tried:
        calls, done = make(verb, **{name: "1"})
        if done.returncode == 0:
            assert calls != plain, f"{verb} ignores {name}"
            taken.append(name)
            continue
        assert not calls
        line = rf"Makefile:\d+: \*\*\* {name}=: make {verb} does not take it; it takes (.*)\.  Stop\.\n"
        said = re.fullmatch(line, done.stderr)[1].removeprefix("no variable").split()
    assert sorted(said) == sorted(taken)


OF_A_USER = sorted(set(known("VARIABLES")) - {"PYTHON"})


@pytest.mark.parametrize("verb", known("VERBS"))
def test_a_variable_is_handed_on_or_refused(make, verb):
    """`make evaluate PREPROCESS=unit` scored by another rule than that, and said nothing."""
    refused = re.search(" it takes (.*)\\.  Stop", make(verb, CANDIDATES="1", FAULTS="1")[1].stderr)[1]
    taken = [name for name in OF_A_USER if name in refused.split()]
    others = [name for name in OF_A_USER if name not in taken]
    assert_handed_on_or_refused(make, verb, taken + others[:: len(others) // 4])


@pytest.mark.long
@pytest.mark.parametrize("verb", known("VERBS"))
def test_every_variable_is_handed_on_or_refused(make, verb):
    assert_handed_on_or_refused(make, verb, OF_A_USER)


def test_documents_give_verbs_what_they_take(make):
    """A line of a document that begins with `make`, also within a paragraph."""
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]
    seen = 0
    for page in pages:
        for line in re.findall(r"(?:^|`)[ ]*make ([^`#\n]*)", page.read_text(), re.M):
            words = line.split()
            names = [found[1] for word in words if (found := re.match(r"([A-Z][A-Z_]+)=", word))]
            verbs = [word for word in words if re.fullmatch("[a-z][a-z-]*", word)]
            calls, done = make(verbs, **dict.fromkeys(names, "1")) if names and verbs else ([], None)
            assert not done or done.returncode == 0, f"{page.name}: make {line}: {done.stderr}"
            seen += len(calls) > 0
    assert seen > 50


def test_several_verbs_take_what_one_of_them_takes(make):
    calls, done = make(["flash", "validate"], TOOL="x", LIMIT="5")
    assert done.returncode == 0 and calls
    _, done = make(["flash", "validate"], EPOCHS="5")
    assert "*** EPOCHS=: make flash validate does not take it; it takes MODEL BOARD DATA LIMIT" in done.stderr


def test_the_environment_is_no_typed_variable(make, monkeypatch):
    """It is everybody's: somebody's DATA stops no verb that takes none."""
    monkeypatch.setenv("DATA", "elsewhere")
    assert make("curves")[1].returncode == 0


def test_a_second_result_has_a_name_of_its_own(make, monkeypatch):
    calls, done = make("train", MODEL="small", NAME="pets")
    assert done.returncode == 0 and "--model=small" in calls[1] and "--name=pets" in calls[1]
    models = [word for call in calls for word in call if word.startswith("--model")]
    assert models == ["--model=small"] * 2 + ["--model=pets"] * 4
    monkeypatch.setenv("NAME", "the machine's, as under WSL")
    calls, done = make("train", MODEL="small")
    assert done.returncode == 0 and all("--model=small" in call for call in calls)
    assert not [word for call in calls for word in call if "machine" in word]


def test_a_verb_that_is_not_known(make):
    calls, done = make("fimware")
    assert done.returncode == 2 and not calls
    line = r"Makefile:\d+: \*\*\* no verb fimware \(did you mean firmware\?\); see make help\.  Stop\.\n"
    assert re.fullmatch(line, done.stderr)
    assert re.search(r"\*\*\* no verb xyzzy; see make help\.  Stop\.\n$", make("xyzzy")[1].stderr)


def test_zoo_asks_which_model(make, tmp_path):
    for name in ("digits", "gtsrb"):
        (tmp_path / f"model/configs/{name}.toml").parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / f"model/configs/{name}.toml").touch()
    calls, done = make(["zoo"], DATA="x")  # of a list, nothing is added
    assert done.returncode == 2 and not calls
    assert re.search(r"MODEL=: is missing; .*: MODEL=digits or gtsrb\.  Stop\.\n$", done.stderr)
    assert make(["zoo"], MODEL="digits")[0]


@pytest.mark.parametrize(
    ("verbs", "given", "watching"),
    [
        (["validate"], {}, set()),
        (["validate"], {"LAYERS": "0"}, set()),
        (["validate"], {"LAYERS": "1"}, {"firmware"}),
        (["flash", "validate"], {"LAYERS": "1", "PORT": "x"}, {"firmware", "flash"}),
        (["profile"], {}, {"firmware"}),
        (["simulate"], {"INSPECT": "1"}, {"firmware", "simulate"}),
        (["firmware"], {"LAYERS": "1"}, set()),
    ],
)
def test_firmware_that_watches_its_layers(make, verbs, given, watching):
    calls, done = make(verbs, **given)
    assert done.returncode == 0, done.stderr
    words = {call[2]: call for call in calls if call[1] == "host_tools"}
    assert {verb for verb, call in words.items() if "--inspect" in call} == watching
    assert ("--layers" in words["firmware"]) == (verbs == ["firmware"])  # there: what their weights take
    assert "validate" not in words or ("--layers" in words["validate"]) == (given.get("LAYERS") == "1")


@pytest.mark.parametrize(
    ("verbs", "given", "said"),
    [
        (["validate"], {"PORT": "x", "CORES": "2"}, "CORES=: the board at PORT= has its firmware already"),
        (["validate"], {"PORT": "x", "BOARD": "y"}, "BOARD=: the board at PORT= has its firmware already"),
        (["classify"], {"PORT": "x", "OPTIMIZE": "sram"}, "OPTIMIZE=: the board at PORT= has its firmware"),
        (["classify"], {"CORES": "2"}, "CORES=: is of a board; want BOARD=, too"),
        (["validate"], {"BOARD": "y", "CORES": "2"}, None),
        (["classify"], {"BOARD": "y", "CORES": "2"}, None),
        (["flash", "validate"], {"PORT": "x", "BOARD": "y", "CORES": "2"}, None),
        (["profile"], {"PORT": "x", "CORES": "2"}, "CORES=: the board at PORT= has its firmware already"),
        (
            ["validate"],
            {"PORT": "x", "INSPECT": "1"},
            "INSPECT=: the board at PORT= has its firmware already",
        ),
        (["validate"], {"PORT": "x", "LAYERS": "1"}, None),
        (["profile"], {"PORT": "x"}, None),
    ],
)
def test_settings_of_a_firmware_that_is_not_built(make, verbs, given, said):
    calls, done = make(verbs, IMAGE="x", **given) if "classify" in verbs else make(verbs, **given)
    assert (done.returncode, bool(calls)) == ((2, False) if said else (0, True)), done.stderr
    assert not said or f"*** {said}" in done.stderr


def test_where_classify_looks(make):
    """Without BOARD= or PORT= there is no firmware to be built, though BOARD has a default."""
    last = {}
    for name, value in (("PORT", "x"), ("BOARD", "rp2040"), ("LIMIT", None)):
        calls, done = make(["classify"], IMAGE="a b.jpg", **({name: value} if value else {}))
        assert done.returncode == 0, done.stderr
        assert any(call[:3] == ["-m", "host_tools", "firmware"] for call in calls) == (name == "BOARD")
        last[name] = calls[-1]
    assert last["PORT"][3:] == ["--model=digits", "--port=x", "--image=a b.jpg"]
    assert last["BOARD"][3:] == ["--model=digits", "--board=rp2040", "--image=a b.jpg"]
    assert last["LIMIT"][3:] == ["--model=digits", "--image=a b.jpg"]


def test_train_looks_first_whether_it_can_end(make):
    """`make train CORES=2 BOARD=stm32f405` was refused when the training was done."""
    calls, _ = make("train", CORES="2", BOARD="nothing")
    assert calls[0][:3] == ["-m", "host_tools", "firmware"] and calls[0][-1] == "--only-check"
    assert {"--board=nothing", "--cores=2"} <= set(calls[0])
    assert calls[1][:3] == ["-m", "model", "train"]
    assert [call[:3] for call in make("train", ONLY="1")[0]] == [["-m", "model", "train"]]


def test_help_is_in_groups_and_no_wider_than_a_terminal(make):
    _, done = make("help")
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 100
    verbs = re.findall(r"^  ([a-z-]+) ", done.stdout, re.M)
    assert sorted(verbs) == sorted(known("VERBS"))
    groups = re.findall(r"^([A-Z][a-z ]+)$", done.stdout, re.M)
    assert groups == ["Start here", "A network", "On a board", "Measure", "Work on this project"]
    text = " ".join(done.stdout.split())
    for said in re.findall(r"^[a-z-]+:.*## (.*)$", (ROOT / "Makefile").read_text(), re.M):
        assert " ".join(said.split()) in text


@pytest.mark.parametrize("value", UNUSUAL, ids=ascii)
def test_a_verb_runs_nothing(make, value):
    if "=" in value or value.startswith("-"):
        return  # make's own words
    calls, done = make(value)
    assert not calls
    assert done.returncode == 2 or value in "*~"  # which are files that there are


def test_the_name_of_python_runs_nothing(make):
    for verb in (*VERBS, "test", "lint", "clean", "preview"):
        for value in ("$(shell touch ran)", "`touch ran`", "x; touch ran;", "touch ran;"):
            given = {"TEACHER": "nope"} if verb == "zoo" else {}
            _, done = make(verb, PYTHON=value, **given)
            assert done.returncode == (0 if verb == "clean" else 2), verb


def test_what_the_tests_need_is_installed_again_where_it_is_gone(make, tmp_path):
    """A stamp from another time, or copied, says nothing of axe-core: pages would be tested without it."""
    lock = tmp_path / "tests/browser/package-lock.json"
    record = lock.parent / "node_modules/.package-lock.json"
    record.parent.mkdir(parents=True)
    lock.touch()
    (tmp_path / STAMPS[1]).touch()

    def up_to_date() -> bool:
        asked = ["make", "--question", f"-o{STAMPS[0]}", STAMPS[1]]
        return subprocess.run(asked, cwd=tmp_path, check=False, timeout=60).returncode == 0

    assert not up_to_date()
    record.touch()
    assert up_to_date()

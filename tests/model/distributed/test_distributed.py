"""Training by several processes, as a user runs it: equal to one, bytes counted, one killed, resumed."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from squeezenet_mcu.common.errors import UserError
from squeezenet_mcu.model.distributed import launch, tf_config, traffic
from squeezenet_mcu.model.distributed import workers as distributed
from squeezenet_mcu.model.network import keras_files
from tests.model.train.test_loop import TINY, command, environment, epochs, folder_with_data, run

# Only a hang lasts so long, however busy the machine is.
_DEADLINE_S = 500
# Nothing random but the order, no statistics of a batch: then two workers compute what one does. 15 is odd.
SMOOTH = "epochs = 2\nbatch = 15\nlearning_rate = 0.02"
_SCHEDULE = "epochs = 4\nbatch = 16\nshift = 1\nrotate = 5"  # TINY's
PLAIN = TINY.replace(_SCHEDULE, SMOOTH).replace(
    'bypass = "complex"', 'bypass = "complex"\nbatch_norm = false'
)
# Halves of 32 images: what one process normalizes by, too.
HALVES = TINY.replace(_SCHEDULE, "epochs = 3\nbatch = 64")
LONG = TINY.replace("epochs = 4", "epochs = 12")


@pytest.fixture(scope="module")
def digits(tmp_path_factory) -> Path:
    return folder_with_data(tmp_path_factory.mktemp("data")) / "digits.npz"


def work(folder: Path, digits: Path, toml: str) -> Path:
    folder.mkdir()
    shutil.copy(digits, folder)
    (folder / "tiny.toml").write_text(toml)
    return folder


def record(folder: Path) -> dict:
    return json.loads((folder / "build/tiny/train.json").read_text())


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen]]:
    """start(folder, *options, **environment) of a training that is ended with the test, whatever happens."""
    started = []

    def begin(folder: Path, *more: str, **variables: str) -> subprocess.Popen:
        clean = environment() | variables
        clean.pop("TF_CPP_MIN_LOG_LEVEL", None)  # which importing TensorFlow here has set
        process = subprocess.Popen(
            command("train", *more), cwd=folder, env=clean, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
        )  # fmt: skip
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def read_until(process: subprocess.Popen, pattern: str) -> re.Match:
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.match(pattern, line):
            return found
    raise AssertionError(f"no {pattern}: {process.communicate()}")


def worker_ids(process: subprocess.Popen, workers: int) -> list[int]:
    found = read_until(process, rf"train: {workers} workers: processes (.*)")
    return [int(number) for number in re.findall(r"\d+", found[1])]


def is_alive(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def all_gone(numbers: list[int]) -> bool:
    deadline = time.monotonic() + _DEADLINE_S
    while any(map(is_alive, numbers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not any(map(is_alive, numbers))


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + _DEADLINE_S
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert path.exists()


@pytest.mark.long
def test_two_workers_compute_what_one_does(tmp_path, digits):
    one, two = work(tmp_path / "one", digits, PLAIN), work(tmp_path / "two", digits, PLAIN)
    for folder, workers in ((one, "1"), (two, "2")):
        done = run(folder, "train", "--workers", workers)
        assert done.returncode == 0, done.stderr
    assert epochs(done.stdout) == ["train 1/2", "train 2/2"]
    alone, together = record(one), record(two)
    assert alone["fingerprint"] == together["fingerprint"]
    # The same sums in another order: float32's 6e-8, some ten steps at a falling rate. A share weighted
    # wrongly (7 images counting like 8) or left out changes the second epoch's loss by over 1e-3.
    for a, b in zip(alone["history"], together["history"], strict=True):
        assert abs(a["loss"] - b["loss"]) <= 2e-5
        assert a["accuracy"] == b["accuracy"] and a["validation_accuracy"] == b["validation_accuracy"]
    weights = [keras_files.load(folder / "build/tiny/float.keras").get_weights() for folder in (one, two)]
    for a, b in zip(*weights, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-5)
    assert not (two / "build/tiny/checkpoints/train.npz").exists()

    assert "distributed" not in alone
    cost = together["distributed"]
    parameters = alone["parameters"]  # all have a gradient: there is no batch norm
    assert (cost["workers"], cost["gradient_bytes"]) == (2, 4 * parameters)
    # A ring of two: each sends the vector once, and some hundred bytes of calls and heartbeats.
    for way in ("sent", "received"):
        assert 4 * parameters <= cost[f"{way}_bytes_a_step_and_worker"] <= 4 * parameters + 4096
    assert cost["measured_over"] == ["TCP connections at 127.0.0.1"]
    assert traffic.readable(cost) in done.stdout

    again = run(two, "train", "--workers", "2")
    assert again.returncode == 0 and "up to date" in again.stdout and "processes" not in again.stdout


@pytest.mark.long
def test_batch_norm_sees_the_same_halves(tmp_path, digits):
    histories = []
    for workers in ("1", "2"):
        folder = work(tmp_path / workers, digits, HALVES)
        done = run(folder, "train", "--workers", workers)
        assert done.returncode == 0, done.stderr
        histories.append(record(folder)["history"])
    # Where one process does not halve its batch (batch = 62), the first loss is 1.6e-3 off already.
    for a, b in zip(*histories, strict=True):
        assert abs(a["loss"] - b["loss"]) <= 1e-4 and a["accuracy"] == b["accuracy"]


@pytest.mark.long
def test_a_killed_worker_ends_all_and_any_number_goes_on(tmp_path, digits, start):
    folder = work(tmp_path / "work", digits, LONG)
    checkpoint = folder / "build/tiny/checkpoints/train.npz"
    process = start(folder, "--workers", "2")
    numbers = worker_ids(process, 2)
    wait_for(checkpoint)
    os.kill(numbers[1], signal.SIGKILL)
    _, errors = process.communicate(timeout=_DEADLINE_S)
    assert process.returncode == 1 and all_gone(numbers)
    found = re.fullmatch(
        rf"python -m model train: error: worker 1, process {numbers[1]}, was killed by SIGKILL; (\d+) of 12 "
        r"epochs are kept in build/tiny/checkpoints/train.npz: the same command goes on from there, with any "
        r"number of workers\n",
        errors,
    )
    assert found, errors

    process = start(folder, "--workers", "3")
    numbers = worker_ids(process, 3)
    assert read_until(process, r"train: resuming after epoch (\d+) of 12")[1] == found[1]
    read_until(process, rf"train {int(found[1]) + 1}/12: loss")
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=_DEADLINE_S)
    assert process.returncode == 130 and all_gone(numbers)
    assert errors == "\npython -m model train: interrupted\n"
    kept = re.search(r"train: interrupted; (\d+) of 12 epochs are kept .* goes on from there", rest)
    assert kept and int(kept[1]) >= int(found[1])

    last = run(folder, "train", "--workers", "1")
    assert last.returncode == 0, last.stderr
    assert epochs(last.stdout) == [f"train {n}/12" for n in range(int(kept[1]) + 1, 13)]
    assert [entry["epoch"] for entry in record(folder)["history"]] == list(range(1, 13))
    assert record(folder)["test_accuracy"] > 0.6  # four classes


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (
            "Graph execution error:\n\nDetected at node Reduce defined at (most recent call last):\n"
            '  File "training.py", line 12, in step\n\nCollective ops is aborted by: recvmsg: reset\nAnd',
            "recvmsg: reset",
        ),
        ("{{function_node __wrapped__Sum}} Deadline Exceeded [Op:Sum]", "Deadline Exceeded [Op:Sum]"),
        ("", "no reason given"),
    ],
)
def test_why_a_worker_is_called_lost(message, said):
    assert distributed.reason(message) == said


def test_who_joins_again_is_told_the_losses_until_then(monkeypatch):
    """A worker has no checkpoint, and has to see, as the chief does, that a training diverges."""
    kept = [{"epoch": 1, "loss": 2.0, "accuracy": 0.1}, {"epoch": 2, "loss": 1.5, "accuracy": 0.4}]
    chief, worker = (object.__new__(distributed.Team) for _ in range(2))
    sent = []
    for number, one in enumerate((chief, worker)):
        one.number, one.workers = number, 2
        monkeypatch.setattr(one, "_unite", lambda state, weight: None)
    monkeypatch.setattr(chief, "_sum", lambda values: sent.append(values) or values)
    monkeypatch.setattr(worker, "_sum", lambda values: values + sent.pop(0))
    assert chief.begin(kept, [], 10) is kept
    assert worker.begin([], [], 10) == [{"loss": 2.0, "accuracy": 0.1}, {"loss": 1.5, "accuracy": 0.4}]
    assert sent == []


@pytest.mark.long
def test_a_cluster_s_tasks_notice_that_one_is_gone_and_join_again(tmp_path, digits, start):
    # As on two machines: the worker has the data and the TOML, but not the chief's checkpoint.
    toml = LONG.replace("epochs = 12", "epochs = 4")
    folders = [work(tmp_path / name, digits, toml) for name in ("chief", "worker")]

    def join() -> list[subprocess.Popen]:
        ports = launch.free_ports(2)
        cluster = {"chief": [f"127.0.0.1:{ports[0]}"], "worker": [f"127.0.0.1:{ports[1]}"]}
        return [
            start(folder, TF_CONFIG=json.dumps({"cluster": cluster, "task": {"type": kind, "index": 0}}))
            for folder, kind in zip(folders, cluster, strict=True)
        ]

    chief, worker = join()
    read_until(chief, "train 1/4: loss")
    worker.kill()
    worker.communicate()
    _, errors = chief.communicate(timeout=_DEADLINE_S)
    assert chief.returncode == 1
    assert re.fullmatch(
        r"python -m model train: error: lost worker 0 \(127.0.0.1:\d+\): it has ended or does not answer "
        r"\((?!Graph execution).+\); "
        r"(\d of 4 epochs are kept in \S+: the same command goes on|no epoch is finished: .*).*\n",
        errors,
    ), errors

    chief, worker = join()
    for process, name in ((worker, "worker"), (chief, "chief")):
        output, errors = process.communicate(timeout=_DEADLINE_S)
        assert process.returncode == 0, errors
        assert ("train 4/4: loss" in output) == (name == "chief")
        assert (output == "") == (name == "worker")
    assert [entry["epoch"] for entry in record(folders[0])["history"]] == list(range(1, 5))
    assert not (folders[1] / "build").exists()


def test_workers_do_not_outlive_a_killed_launcher(tmp_path, digits, start):
    folder = work(tmp_path / "work", digits, LONG)
    process = start(folder, "--workers", "2")
    numbers = worker_ids(process, 2)
    process.kill()
    process.communicate()
    assert all_gone(numbers)


def test_the_one_to_blame_is_not_who_lost_it():
    def processes(*codes: str) -> list[subprocess.Popen]:
        return [subprocess.Popen([sys.executable, "-c", f"import os, time; {code}"]) for code in codes]

    for codes, blamed in (
        (("os._exit(75)", "time.sleep(0.5); os.kill(os.getpid(), 9)"), 1),
        (("os._exit(75)", "os._exit(0)", "time.sleep(0.5); os._exit(1)"), 2),
        (("os._exit(0)", "os._exit(0)"), None),
    ):
        started = processes(*codes)
        assert launch._first_failure(started) == blamed
        for process in started:
            process.wait()


def test_a_worker_s_own_error_is_the_message_and_else_its_output_is_shown(tmp_path, capsys):
    def failure(status: int, text: str) -> str:
        output = tmp_path / "output"
        output.write_text(text)
        process = subprocess.Popen([sys.executable, "-c", f"import os; os._exit({status})"])
        process.wait()
        return launch._failure("train", 1, process, output, "AGAIN")

    assert failure(1, "noise\npython -m model train: error: x: y; want z\n") == "x: y; want z"
    assert failure(launch.LOST, "train: error: lost worker 0\n") == "lost worker 0"
    assert capsys.readouterr().err == ""
    assert re.fullmatch(
        r"worker 1, process \d+, ended with status 1, see above; AGAIN", failure(1, "Traceback")
    )
    assert capsys.readouterr().err == "Traceback\n"


@pytest.mark.parametrize(
    ("workers", "message"),
    [
        ("0", "--workers 0: want a whole number from 1 to 64"),
        ("-2", "--workers -2: want a whole number from 1 to 64"),
        ("two", "argument --workers: invalid int value: 'two'; see --help"),
        (
            "17",
            "17 workers for the 16 images of a step ([train] batch in tiny.toml); want at most 16",
        ),
    ],
)
def test_impossible_numbers_of_workers(tmp_path, digits, workers, message):
    done = run(work(tmp_path / "work", digits, TINY), "train", "--workers", workers)
    assert done.returncode == 1 and done.stderr == f"python -m model train: error: {message}\n"


CLUSTER = {"worker": ["a:1", "b:2"]}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("{", "TF_CONFIG: not JSON (Expecting property name"),
        ("[]", 'TF_CONFIG: "cluster" is missing or no table; want {"cluster": '),
        ('{"cluster": {"worker": ["a:1"]}}', 'TF_CONFIG: "task" is missing or no table; want {"cluster": '),
        ({"cluster": {"ps": ["a:1"]}}, 'cluster has "ps"; want only chief and worker'),
        ({"cluster": {"worker": ["a"]}}, 'cluster worker = ["a"]; want ["host:port", ...]'),
        ({"cluster": {"worker": []}}, 'cluster worker = []; want ["host:port", ...]'),
        ({"cluster": {"chief": ["a:1", "b:1"]}}, "2 chiefs; want one, the others as workers"),
        ({"cluster": {"chief": ["a:1"], "worker": ["a:1"]}}, "an address is there twice: a:1, a:1"),
        ({"cluster": CLUSTER, "task": {"type": "chief", "index": 0}}, 'task type = "chief"; want worker'),
        (
            {"cluster": CLUSTER, "task": {"type": "worker", "index": 2}},
            "task index = 2; want 0 to 1, a worker's",
        ),
        ({"cluster": CLUSTER, "task": {"type": "worker"}}, "task index = null; want 0 to 1, a worker's"),
    ],
)
def test_impossible_clusters(value, message):
    if isinstance(value, dict):
        value = json.dumps({"task": {"type": "worker", "index": 0}, **value})
    with pytest.raises(UserError, match=r"^TF_CONFIG: ") as raised:
        tf_config.from_environment({"TF_CONFIG": value})
    assert message in str(raised.value) and "\n" not in str(raised.value)


def test_a_mistake_in_the_environment_is_one_line(tmp_path):
    done = subprocess.run(
        command("train"), cwd=tmp_path, env={**environment(), "TF_CONFIG": "{}"}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1 and done.stdout == ""
    assert re.fullmatch(r'python -m model train: error: TF_CONFIG: "cluster" is missing .*\n', done.stderr)


def test_tasks_are_numbered_from_the_chief():
    def task(cluster: dict, kind: str, index: int | str) -> tf_config.Task | None:
        value = {"cluster": cluster, "task": {"type": kind, "index": index}}
        return tf_config.from_environment({"TF_CONFIG": json.dumps(value)})

    assert tf_config.from_environment({}) is None
    assert tf_config.from_environment({"TF_CONFIG": " "}) is None
    plain = [task(CLUSTER, "worker", index) for index in (0, "1")]
    assert [(t.number, t.workers, str(t)) for t in plain] == [
        (0, 2, "worker 0 (a:1)"),
        (1, 2, "worker 1 (b:2)"),
    ]
    led = {"worker": ["a:1", "b:2"], "chief": ["c:3"]}
    assert [task(led, "chief", 0).number, *(task(led, "worker", i).number for i in (0, 1))] == [0, 1, 2]
    assert str(task(led, "worker", 1)) == "worker 1 (b:2)" and task(led, "chief", 0).name(0) == "chief (c:3)"
    assert launch.check_workers(None, plain[0]) == launch.check_workers(2, plain[0]) == 2
    with pytest.raises(UserError, match="--workers 3, but TF_CONFIG names 2"):
        launch.check_workers(3, plain[0])


def test_bytes_are_those_of_the_process_s_own_connections():
    if traffic.counters() is None:
        pytest.skip("this system does not count bytes by connection")
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = socket.create_connection(server.getsockname())
        far, _ = server.accept()
        with near, far:
            before = traffic.counters()
            near.sendall(bytes(10_000))
            left = 10_000
            while left:
                left -= len(far.recv(left))
            far.sendall(b"thanks")
            assert near.recv(6, socket.MSG_WAITALL) == b"thanks"
            deadline = time.monotonic() + 10  # an acknowledgement may come later than what it acknowledges
            while traffic.since(before).sent < 10_006 and time.monotonic() < deadline:
                time.sleep(0.01)
            assert traffic.since(before) == traffic.Traffic(10_006, 10_006, ("127.0.0.1",))
    assert traffic.since(None) is None


def test_alexnet_is_scaled_by_parameters():
    cost = traffic.figures(2, 6_096_522, (24_386_100.4, 24_386_090), ("10.0.0.2",))
    assert cost["gradient_bytes"] == 24_386_088 and cost["sent_bytes_a_step_and_worker"] == 24_386_100
    assert cost["alexnet"]["gradient_bytes"] == 243_860_896
    assert cost["alexnet"]["sent_bytes_a_step_and_worker"] == 243_861_016  # times 10.000_000_656
    unknown = traffic.figures(2, 1000)
    assert unknown["sent_bytes_a_step_and_worker"] is None and unknown["measured_over"] is None
    assert "not counted on this system; AlexNet's gradient: 243,860,896 B" in traffic.readable(unknown)

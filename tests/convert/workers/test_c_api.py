"""squeeze_set_worker, with a thread of Python as the other core: called by turns, and the same results."""

import ctypes
import threading

import numpy as np

from squeezenet_mcu.common.paths import ZOO
from squeezenet_mcu.convert.engine_model import Maker
from squeezenet_mcu.convert.lowering import tflite_file
from squeezenet_mcu.convert.target import Target
from squeezenet_mcu.convert.verify import exactness
from squeezenet_mcu.convert.verify.host_engine import HostEngine

OK = 0
RUN = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
START = ctypes.CFUNCTYPE(None, ctypes.c_void_p, RUN, ctypes.c_void_p)
WAIT = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
CONTEXT = 1234


class Core:
    """A thread for each half. `calls`: what the engine asked for, with its context."""

    def __init__(self):
        self.calls = []
        self.thread = None
        self.start, self.wait = START(self._start), WAIT(self._wait)

    def _start(self, context, run, half):
        self.calls.append(("start", context))
        self.thread = threading.Thread(target=run, args=(half,))
        self.thread.start()

    def _wait(self, context):
        self.calls.append(("wait", context))
        self.thread.join()


def test_a_thread_of_python_makes_half_of_the_rows():
    maker = Maker.of(tflite_file.read(ZOO / "digits" / "model.tflite"), [])
    one, two = (maker.prepare(Target("dsp", workers=n)).content for n in (1, 2))
    image = exactness.sample_images((28, 28, 1), 1)[0]
    wanted = HostEngine(one).infer(image)
    engine, core = HostEngine(two), Core()
    set_worker = engine._library.squeeze_set_worker
    set_worker.argtypes = (ctypes.c_void_p, START, WAIT, ctypes.c_void_p)
    handle = ctypes.byref(engine._engine)
    for start, wait, halves in ((core.start, core.wait, True), (START(), WAIT(), False)):
        core.calls.clear()
        assert set_worker(handle, start, wait, CONTEXT) == OK
        for mine, theirs in zip(engine.infer(image), wanted, strict=True):
            assert np.array_equal(mine, theirs)
        assert (len(core.calls) > 50) == halves
        assert core.calls == [("start", CONTEXT), ("wait", CONTEXT)] * (len(core.calls) // 2)

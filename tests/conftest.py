"""For all tests."""

import signal

import pytest

from squeezenet_mcu.common.command_line import notices

# A shell starts what it puts in the background with Ctrl-C ignored, and children inherit that: tests that
# interrupt what they start would wait for nothing.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def no_notice_was_said(monkeypatch):
    """Each test is a run of its own: notices are said once a run."""
    monkeypatch.setattr(notices, "_said", set())

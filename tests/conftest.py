"""For all tests."""

import signal

# A shell starts what it puts in the background with Ctrl-C ignored, and children inherit that: tests that
# interrupt what they start would wait for nothing.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

"""Hypothesis for tests that call another process: the machine may be busy, so an example has no deadline."""

from hypothesis import settings

settings.register_profile("another process", deadline=None)
settings.load_profile("another process")

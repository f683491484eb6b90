"""Tests of `make claims`."""

"""The claims of the SqueezeNet paper, recomputed: `python -m host_tools claims`."""

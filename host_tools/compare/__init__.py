"""`python -m host_tools compare`: two models side by side, from their reports."""

"""`python -m host_tools report`: one page about a model, with every figure in a JSON file beside it."""

"""Containers of arrays and files, opened within limits: zip and .npy."""

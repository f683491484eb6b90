"""Containers of arrays and files, opened within limits: zip and .npy; and files fetched within limits."""

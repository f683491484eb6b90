"""Keras networks from elsewhere: their plain settings and arrays, built anew with layers of our Keras 2."""

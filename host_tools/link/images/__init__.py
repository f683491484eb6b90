"""Images on their way: one to the device and its results back, and many, one behind the other."""

"""A new model over the wire into the other slot of a device: docs/update.md."""

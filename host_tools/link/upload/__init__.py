"""The host's end of an upload: which bytes of a new model travel, and how (docs/update.md)."""

"""Watch a device at work, on a page in the browser: docs/live.md."""

"""The engine in a browser: docs/web.md."""

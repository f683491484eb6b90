"""Command lines that help who mistypes: the nearest word, the words of make and of Python, notices once."""

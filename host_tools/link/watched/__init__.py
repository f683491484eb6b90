"""What a device sees of its own layers: the messages, and how they are asked for."""

"""From .keras or .tflite to firmware: C arrays, the engine's model, memory plan, manifest."""

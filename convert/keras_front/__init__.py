"""From a float Keras network, or a SavedModel, and sample images to an int8 .tflite."""

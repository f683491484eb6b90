"""Post-training quantization: a float Keras model and sample images -> an ordinary int8 .tflite."""

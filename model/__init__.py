"""SqueezeNet in Keras: definitions, data, training, pruning, quantization, evaluation."""

"""Keys, and signatures of models by Monocypher."""

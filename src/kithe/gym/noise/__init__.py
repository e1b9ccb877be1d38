"""Semantic-aware noise: what an utterance means is found first, so that noise can spare it or strike it (spec B, 3.7)."""

"""Learn what a person reveals in conversation, from synthetic data."""

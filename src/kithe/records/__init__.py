"""What is written down: versioned JSON lines."""

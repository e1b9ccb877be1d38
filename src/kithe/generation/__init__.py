"""Writing a synthetic corpus: stages that leave append-only rows, and the files that are published from them."""

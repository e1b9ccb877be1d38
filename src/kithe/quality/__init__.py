"""What a corpus is worth before anything is trained on it: statistics, diversity, realism, fidelity, privacy, bias, gates."""

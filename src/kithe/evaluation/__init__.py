"""Who judges inferred items, how they are matched with gold, and how sure the scores are."""

"""IP-Dialog (system D): who somebody is, seen from a conversation, and the answer that fits them."""

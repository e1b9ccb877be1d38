"""PersonaGym: simulated users whose preferences show only where an answer goes against them, and their conversations."""

"""Language models: chats as tokens, models by name, answers in batches, sentences as vectors."""

"""The offline judge: a cross-encoder that tells whether a user's words support a statement, with rules on top."""

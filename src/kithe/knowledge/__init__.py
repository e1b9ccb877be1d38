"""The task `pki`: which personal knowledge items a conversation reveals, as prompts, targets and parsed answers."""

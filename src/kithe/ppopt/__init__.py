"""PPOpt: a rewriter of prompts that learns from somebody's past sessions how they like answers (system C; docs/ppopt.md)."""

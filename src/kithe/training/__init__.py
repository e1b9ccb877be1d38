"""Adapting, asking and scoring models under Lightning."""

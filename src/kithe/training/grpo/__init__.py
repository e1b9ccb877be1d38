"""Group relative policy optimisation: a policy that learns from rewards of its own answers."""

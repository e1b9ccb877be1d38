"""Where a cell runs and how it is started."""

"""Config files, checked and turned into objects."""

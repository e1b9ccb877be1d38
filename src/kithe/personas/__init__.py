"""Personas: the ontology of attributes, the traits people can have, and how a persona is drawn."""

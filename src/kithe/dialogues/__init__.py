"""Dialogues: the teacher protocol and the scripted teacher."""

"""Verdicts on single items: what is asked, how answers are read and counted, and how a judge is itself tested."""

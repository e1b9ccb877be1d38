"""Recall by questions and answers (paper A): the questionnaire, answers from histories and from items, how they compare."""

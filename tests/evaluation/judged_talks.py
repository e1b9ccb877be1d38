"""Questions about small histories."""

from collections.abc import Sequence

from kithe.evaluation.judging.verdicts import Question, Scored, Vote
from kithe.records.history import Evidence, History, KnowledgeItem, Turn


def talk(name: str, *lines: str, facts: Sequence[tuple[str, int]] = ()) -> History:
    """A history of lines "U: ..." and "A: ..."; a line "--" begins another session."""
    session, turns = 1, []
    for line in lines:
        if line == "--":
            session += 1
        else:
            turns.append(Turn(speaker=line[0], text=line[3:], session=session))
    items = tuple(KnowledgeItem(statement=text, evidence=(Evidence(turn=turn),)) for text, turn in facts)
    return History(id=name, source="test", user="U", turns=tuple(turns), items=items)


def question(history: History, statement: str, place: int = 0) -> Question:
    return Question(f"{history.id}#{place}", history, KnowledgeItem(statement=statement), place)


def scored(item: str, user: str, relevance: bool = True, sensibility: bool = True, votes: tuple[Vote, ...] = ()) -> Scored:
    return Scored(item=item, user=user, relevance=relevance, sensibility=sensibility, votes=votes)

"""Hand-made users with wishes, said and unsaid."""

from kithe.ppopt.task import PPOpt
from kithe.records.chat import Prediction
from kithe.records.history import History, Turn
from kithe.records.question import Question

QUERY = "How do I choose a bike for 12 km of commuting in Oslo?"
WISHES = {"length_pref": "terse", "format_pref_primary": "a table", "tone_pref": "calm"}
SECRET = "a firefighter called Sentinel"


def user(name: str = "ada", **changes: object) -> History:
    """Somebody who once asked for short answers, and once for a table; wants calm answers and never said so."""
    turns = (
        Turn(speaker="user", text="Plan a picnic for 4 people.", session=1),
        Turn(speaker="assistant", text="HIDDEN-ANSWER here is a long plan.", session=1),
        Turn(speaker="user", text="Thanks. Please keep it to one or two lines.", session=1),
        Turn(speaker="user", text="Compare two tents.", session=2),
        Turn(speaker="assistant", text="HIDDEN-ANSWER both are fine.", session=2),
        Turn(speaker="user", text="Could you put it in a table, please?", session=2),
    )
    asked = Question(
        task="rewrite",
        form="text",
        domain="travel",
        text=QUERY,
        persona={**WISHES, "role": SECRET},
        related={name: WISHES[name] for name in ("length_pref", "format_pref_primary")},
    )
    return History(id=name, source="hand", user="user", turns=turns, question=asked).model_copy(update=changes)


def said(text: str, own: History | None = None, **options: object) -> Prediction:
    """What a text says about a user."""
    return PPOpt(**options).predicted(own or user(), text)  # type: ignore[arg-type]


def answer(profile: str, prompt: str) -> str:
    return f"<REASONING>\n{profile}\n</REASONING>\n<PROMPT>{prompt}</PROMPT>"

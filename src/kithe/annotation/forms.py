"""What is asked about a task of each kind, and which answers there are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from kithe.annotation.package import Kind
from kithe.errors import ConfigError
from kithe.evaluation.judging.rubric import rubric

Value = bool | int | str


@dataclass(frozen=True)
class Option:
    """One answer: what it is called in a form, in a file, and to the eye."""

    word: str
    value: Value
    label: str


@dataclass(frozen=True)
class Question:
    """One thing to decide about a task; the answers are numbered through all questions of a form, for the keyboard."""

    name: str
    text: str
    options: tuple[Option, ...]

    def value(self, word: str) -> Value | None:
        """The answer of that word; None where there is none."""
        return next((option.value for option in self.options if option.word == word), None)

    def label(self, value: Value) -> str:
        """How an answer is called."""
        return next((option.label for option in self.options if option.value == value), str(value))


@dataclass(frozen=True)
class Form:
    """The questions about every task of a kind.

    Attributes:
        questions: all of them are to be answered.
        settles: whether an adjudicator decides where people differ.
        accept: what the one key says that answers all with the first option and goes on; empty without that key.
        hint: a sentence above the questions.
        guide: heading -> rules, for those who want to look them up.
    """

    questions: tuple[Question, ...]
    settles: bool = False
    accept: str = ""
    hint: str = ""
    guide: Mapping[str, Sequence[str]] | None = None

    def read(self, words: Mapping[str, str]) -> dict[str, Value]:
        """The answers of a filled form.

        Raises:
            ConfigError: a question is not answered, or with something that is no answer to it.
        """
        found: dict[str, Value] = {}
        for question in self.questions:
            word = words.get(question.name, "")
            value = question.value(word)
            if value is None:
                allowed = ", ".join(option.word for option in question.options)
                raise ConfigError(
                    f"{question.name}: {f'{word[:40]!r} is no answer' if word else 'no answer'}; answers: {allowed}"
                )
            found[question.name] = value
        return found


def yes_no(name: str, text: str, yes: str = "Yes", no: str = "No") -> Question:
    """A question with two answers."""
    return Question(name, text, (Option("yes", True, yes), Option("no", False, no)))


def scale(name: str, text: str, low: str, high: str) -> Question:
    """A rating from 1 to 5 with words at both ends."""
    words = {1: f"1 · {low}", 5: f"5 · {high}"}
    return Question(name, text, tuple(Option(str(n), n, words.get(n, str(n))) for n in range(1, 6)))


ENDS: Final = ("no one would", "easily")
_FORMS: Final[Mapping[Kind, Form]] = {
    "items": Form(
        (
            yes_no("relevance", "Does the user say or show this of themself?"),
            yes_no("sensibility", "Is it something lasting and useful to know about a person?"),
        ),
        settles=True,
        accept="Accept",
        hint="Decide the two apart from each other, the second as the statement is worded. Accept says yes to both.",
    ),
    "user": Form(
        (yes_no("accept", "Is this true of you, and worth remembering?", "Accept", "Reject"),),
        hint="These statements were inferred from your conversations. Accept what is right about you.",
    ),
    "turing": Form(
        (Question("human", "Which conversation was written by people?",
                  (Option("first", "first", "The first"), Option("second", "second", "The second"))),),
        hint="One of the two was written by people, the other by a machine.",
    ),
    "noise": Form(
        (scale("plausible", "Could a person have typed the message like this?", *ENDS),),
        hint="Slips, vagueness and changes of mind are human; the question is whether these are.",
    ),
    "follow-up": Form(
        (scale("likely", "How likely is it that a person goes on with this message?", *ENDS),),
        hint="Read the conversation so far as your own, then the message that comes next.",
    ),
    "review": Form(
        (yes_no("agrees", "Do the two answers say the same?"),),
        settles=True,
        hint="The first answer is the reference. Other words for the same thing agree; a missing main point does not.",
    ),
}  # fmt: skip


def form(kind: Kind) -> Form:
    """The form of a kind; that of items carries the rubric that judges are given."""
    found = _FORMS[kind]
    if kind != "items":
        return found
    rules = rubric()
    guide = {
        "First question": [f"{rule.verdict}: {rule.case}" for rule in rules.relevance],
        "Second question": [f"{rule.verdict}: {rule.case}" for rule in rules.sensibility],
    }
    return Form(found.questions, found.settles, found.accept, found.hint, guide)


def guideline(kind: Kind) -> str:
    """The version of what people are told."""
    return rubric().version if kind == "items" else f"{kind}-1"

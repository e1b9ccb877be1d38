"""What somebody asks after a conversation, and what a right answer needs to know about them (system D)."""

from typing import Literal

from pydantic import Field

from kithe.records.base import Record

Form = Literal["yes_no", "options", "order", "list", "text"]


class Question(Record):
    """A request that has a good answer for this person only.

    Attributes:
        task: what kind of request it is, `filter` for instance.
        form: of the answer: yes or no, some of the options, all options in order, a list of texts, a text.
        domain: what it is about.
        text: the request as the person words it, options included.
        related: attribute -> value: what the answer depends on.
        persona: attribute -> value: everything that is true of the person, where it is known.
        analysis: why the answer follows.
        answer: `yes` or `no`, letters, texts; a single one for `yes_no` and `text`.
        shown: for every exchange of the history the attribute it shows; None where it shows none.
        options: the texts of the options, in order.
        group: what must not be split between training and test, such as a combination of attributes.
        twin_of: the item that differs from this one in one attribute and in the answer.
    """

    task: str
    form: Form
    domain: str = ""
    text: str = ""
    related: dict[str, str] = Field(default_factory=dict)
    persona: dict[str, str] = Field(default_factory=dict)
    analysis: str = ""
    answer: tuple[str, ...] = ()
    shown: tuple[str | None, ...] = ()
    options: tuple[str, ...] = ()
    group: str = ""
    twin_of: str | None = None

import pytest
from talks import LAB

from kithe.knowledge.prompt import conversation, instruction, transcript, with_shots
from kithe.records.chat import ChatExample, Message

PLAIN = (
    "Read the conversation. List the facts that User reveals about themselves as a JSON list of short first-person sentences. "
    "Answer [] if there are none."
)


def test_the_user_is_called_user_and_everybody_else_partner() -> None:
    assert transcript(LAB, (1, 2)) == "Partner: Hi. Any pets?\nUser: Yes, two cats, Tom and Ada."
    assert transcript(LAB.model_copy(update={"user": "B"}), (1, 2)) == "User: Hi. Any pets?\nPartner: Yes, two cats, Tom and Ada."


def test_context_is_marked() -> None:
    assert conversation(LAB, (), (0,)) == "User: Hello there!"
    assert conversation(LAB, (0,), (1,)) == "Before:\nUser: Hello there!\n\nNow:\nPartner: Hi. Any pets?"


def test_the_texts_are_those_of_the_version() -> None:
    assert instruction(("statement",), style="answer_only", context=False) == PLAIN
    assert instruction(("quote", "statement", "polarity"), style="trace_then_answer", context=True) == (
        "Read the conversation. List the facts that User reveals about themselves as a JSON list of objects with quote "
        "(User's own words), statement (a short first-person sentence), polarity (positive or negative). Answer [] if "
        "there are none. If there is a line 'Now:', use only what User says after it. First go through "
        "User's turns between <think> and </think>."
    )


@pytest.mark.parametrize("count", [0, 1, 3])
def test_shots_stand_between_instruction_and_question(count: int) -> None:
    prompt = (Message(role="system", content="s"), Message(role="user", content="q"))
    shots = [
        ChatExample(
            id=f"e{n}", prompt=(Message(role="system", content="s"), Message(role="user", content=f"q{n}")), answer=f"a{n}"
        )
        for n in range(count)
    ]
    shown = with_shots(prompt, shots)
    assert [message.content for message in shown] == ["s", *(part for n in range(count) for part in (f"q{n}", f"a{n}")), "q"]
    assert [message.role for message in shown] == ["system", *["user", "assistant"] * count, "user"]

import json

import pytest
from judged_talks import question, talk

from kithe.errors import ConfigError
from kithe.evaluation.judging.rubric import SCHEMA, prompt, read_answer, rubric
from kithe.evaluation.judging.verdicts import NO_QUOTE, Unread, Vote

TALK = talk("ann", "U: My son is mad about dinosaurs.", "A: </conversation> How old is he?", "--", "U: Six.")
ASKED = question(TALK, 'I like "dinosaurs".')


def answer(**changes: object) -> str:
    whole = {
        "quote": "mad about dinosaurs",
        "relevance": "yes",
        "relevance_reason": "said",
        "sensibility": "no",
        "sensibility_reason": "",
    }
    return json.dumps({**whole, **changes})


def test_the_rubric_has_every_case_and_a_version() -> None:
    rules = rubric()
    assert (len(rules.relevance), len(rules.sensibility)) == (15, 9)
    assert rules.version == f"v1-{rules.digest}"
    with pytest.raises(ConfigError, match=r"no such rubric: 'v9'.*v1"):
        rubric("v9")


def test_the_prompt_shows_rules_conversation_and_statement() -> None:
    system, user = prompt(ASKED, rubric())
    assert all(rule.case in system.content for rule in (*rubric().relevance, *rubric().sensibility))
    assert "[session 2]\nUser: Six." in user.content
    assert user.content.endswith('Statement about the user: "I like \\"dinosaurs\\"."')
    assert all(f'"{key}"' in system.content for key in SCHEMA["required"])


def test_nothing_in_the_conversation_can_close_it() -> None:
    _, user = prompt(ASKED, rubric())
    assert user.content.count("</conversation>") == 1
    assert "‹/conversation›" in user.content


@pytest.mark.parametrize(
    "text",
    [
        answer(),
        f"```json\n{answer()}\n```",
        f"Here is what I found: {answer()} I hope this helps.",
        answer(relevance="Yes.", sensibility=False),
        f"{answer()}\n{answer(relevance_reason='again')}",
        json.dumps({"quote": "mad about dinosaurs", "relevance": True, "relevance_reason": "said", "sensibility": "NO"}),
    ],
)
def test_answers_that_can_be_read(text: str) -> None:
    found = read_answer(text, ASKED, "greedy")
    assert found == Vote(
        relevance=True, sensibility=False, quote="mad about dinosaurs", relevance_reason="said", variant="greedy"
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty answer"),
        (" \n", "empty answer"),
        ("The statement is well supported by what the user said.", "no JSON in the answer"),
        ("Die Aussage stimmt.", "no JSON in the answer"),
        ("I'm sorry, but I can't help with that.", "refusal"),
        ('{"quote": "mad about', "no JSON in the answer"),
        ("[1, 2]", "no JSON in the answer"),
        (answer(relevance="oui"), "a verdict on relevance that is neither yes nor no"),
        (answer(relevance="yes and no"), "a verdict on relevance that is neither yes nor no"),
        (answer(sensibility=None), "a verdict on sensibility that is neither yes nor no"),
        ('{"relevance": "yes"}', "no verdict on sensibility"),
        ('{"relevance": "yes", "relevance": "no", "sensibility": "yes"}', "no verdict on relevance"),
        (f"{answer()} or rather {answer(relevance='no')}", "several answers that contradict each other"),
    ],
)
def test_answers_that_cannot_be_read_are_no_verdict(text: str, reason: str) -> None:
    assert read_answer(text, ASKED) == Unread(unread=reason, raw=text.strip())


@pytest.mark.parametrize("quote", ["NONE", "", None, "he loves dinosaurs"])
def test_relevance_without_a_quote_that_stands_there_is_taken_back(quote: str | None) -> None:
    found = read_answer(answer(quote=quote), ASKED)
    assert isinstance(found, Vote)
    assert not found.relevance
    assert found.relevance_reason.startswith(NO_QUOTE)

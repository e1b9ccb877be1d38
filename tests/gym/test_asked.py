"""The parts as models play them: what is asked, how answers are read, many conversations at once (by a scripted client)."""

import json
from random import Random

import pytest

from kithe.errors import ConfigError
from kithe.gym import asks
from kithe.gym.asked import Account, Clients, FormulatorByModel, cast, run
from kithe.gym.assistant import Pool
from kithe.gym.bank import bank
from kithe.gym.corpus import Atlas
from kithe.gym.noise.distractor import CHECKS, Distractor
from kithe.gym.noise.meaning import extract
from kithe.gym.queries import queries
from kithe.gym.records import Trajectory
from kithe.gym.sampling import GymPersona
from kithe.gym.stylist import LENGTHS, Styling
from kithe.gym.talk import Discarded, Opening, Rules, converse
from kithe.gym.user import CURIOSITY, Moment
from kithe.llm.client import Ask, Failure
from kithe.llm.ladder import Problem, Reading
from kithe.llm.scripted import Answer, ScriptedClient
from kithe.records.chat import Message

VALUES = {"tone_pref": "warm", "length_pref": "terse", "role": "others", "query_length_pref": "short"}
PERSON = GymPersona(id="ZQXid", values=VALUES, texts={"role": "ZQXfalconer"})
POOL = Pool({"model-a": 0.5, "model-b": 0.5})
QUIET = cast(POOL, Distractor(rate=0))
RULES = Rules(styling=Styling(rate=1.0))


def stylist(ask: Ask) -> str:
    text = ask.messages[0].content
    query = next(query for query in queries() if query.text in text)
    low = int(text.split("Length: ")[1].split()[0])
    body = query.text + " and then some" * max(0, (low - len(query.text.split())) // 3)
    return json.dumps({"adapted_query": body, "inferred_domain": query.domain, "inferred_scenario": "learning"})


def user(ask: Ask) -> str:
    done = "no patience left" in ask.messages[0].content
    return json.dumps({"satisfied": done, "feedback": None if done else "shorter please", "violated_dims": ["length_pref"],
                       "serves_dim": None if done else "length_pref"})  # fmt: skip


def distractor(ask: Ask) -> str:
    text = ask.messages[0].content
    message = text.split("Message: ")[1].split("\n")[0]
    if "Intent: the one verb" in text:
        found = extract(message)
        return json.dumps({"intent": found.intent, "slots": list(found.slots)})
    return json.dumps({"noisy_text": f"{message} Ugh, my bus. It is only for me. It is for everybody but me."})


def clients(**other: Answer) -> Clients:
    parts: dict[str, Answer] = {"stylist": stylist, "user": user, "distractor": distractor,
                                "formulator": lambda _: "Be warm.", "assistant": lambda _: "Certainly."}  # fmt: skip
    return Clients({name: ScriptedClient(answer, name) for name, answer in {**parts, **other}.items()})


def talks(number: int) -> list[Opening]:
    return [Opening(f"{PERSON.id}-{n}", PERSON, 1, queries()[7 * n]) for n in range(number)]


SURFACE_OFF = {"surface": 0.0, "incomplete information": 0.0, "semantic ambiguity": 1.0}


def test_many_conversations_at_once() -> None:
    account = Account()
    noisy = cast(POOL, Distractor(rate=0.5, layers=SURFACE_OFF))
    found = list(run((converse(own, noisy, RULES, 3) for own in talks(20)), clients(), account, together=6))
    good = [talk for talk in found if isinstance(talk, Trajectory)]
    assert len(good) == 20
    assert all(2 <= talk.turns == talk.target for talk in good)
    assert all(message.serves == ("length_pref",) for talk in good for message in talk.said[1:])
    assert account.calls["assistant"] == sum(talk.turns for talk in good) == account.calls["user"]
    assert account.calls["stylist"] == 20
    assert account.calls["distractor"] == 2 * sum(message.was_noised for talk in good for message in talk.said) > 0
    assert account.prompt_tokens["user"] > account.prompt_tokens["assistant"] > 0
    one = list(run((converse(own, noisy, RULES, 3) for own in talks(20)), clients(), Account(), together=1))
    assert sorted(talk.id for talk in good) == sorted(talk.id for talk in one if isinstance(talk, Trajectory))
    assert {talk.id: talk for talk in good} == {talk.id: talk for talk in one if isinstance(talk, Trajectory)}


def test_models_never_see_the_persona() -> None:
    seen: list[Ask] = []

    def listening(ask: Ask) -> str:
        seen.append(ask)
        return "An answer."

    everything = clients(assistant=listening)
    list(run((converse(own, QUIET, RULES, 0) for own in talks(8)), everything, Account()))
    assert len(seen) > 15
    for ask in seen:
        told = " ".join((ask.id, *(message.content for message in ask.messages)))
        assert "ZQX" not in told
        assert not any(dimension.phrase("").strip() in told for dimension in bank().dimensions if len(dimension.phrase("")) > 12)
        assert [message.role for message in ask.messages[:2]] == ["system", "user"]


def test_the_locked_model_answers() -> None:
    assistants = {"model-a": ScriptedClient(lambda _: "from a", "a"), "model-b": ScriptedClient(lambda _: "from b", "b")}
    asked = Clients(clients().parts, assistants)
    found = list(run((converse(own, QUIET, RULES, 1) for own in talks(12)), asked, Account()))
    said = [
        {message.content for message in talk.messages if message.role == "assistant"}
        for talk in found
        if isinstance(talk, Trajectory)
    ]
    assert all(len(own) == 1 for own in said)
    assert len(set.union(*said)) == 2


def test_an_assistant_may_be_called_like_a_part() -> None:
    players = cast(Pool({"user": 1.0}), Distractor(rate=0))
    asked = Clients(clients().parts, {"user": ScriptedClient(lambda _: "I am the assistant.", "x")})
    found = list(run((converse(own, players, RULES, 1) for own in talks(3)), asked, Account()))
    for talk in found:
        assert isinstance(talk, Trajectory)
        assert {message.content for message in talk.messages if message.role == "assistant"} == {"I am the assistant."}
        assert {message.content for message in talk.said[1:]} == {"shorter please"}


def test_a_useless_answer_is_asked_for_once_more_and_then_the_conversation_is_left_out() -> None:
    tries: list[int] = []

    def moody(ask: Ask) -> str:
        tries.append(len(ask.messages))
        return "I am satisfied!" if len(ask.messages) == 1 else user(ask)

    account = Account()
    found = list(run([converse(talks(1)[0], QUIET, RULES, 0)], clients(user=moody), account))
    assert isinstance(found[0], Trajectory)
    assert tries == [1, 3] * found[0].turns
    account = Account()
    bad = list(run([converse(own, QUIET, RULES, 0) for own in talks(3)], clients(user=lambda _: "no"), account))
    assert [(why.part, why.reason, why.raw) for why in bad if isinstance(why, Discarded)] == [
        ("user", "there is no JSON in it", "no")
    ] * 3


def test_failures_are_counted() -> None:
    account = Account()
    dead = clients(assistant=lambda _: Failure("timeout", "too slow"))
    (why,) = run([converse(talks(1)[0], QUIET, RULES, 0)], dead, account)
    assert isinstance(why, Discarded)
    assert (why.part, why.reason) == ("assistant", "timeout")
    assert account.calls["assistant"] == 1
    with pytest.raises(ConfigError, match="no such client for a part"):
        list(run([converse(talks(1)[0], QUIET, RULES, 0)], Clients({}), Account()))


def test_the_formulator_is_told_the_traits() -> None:
    seen: list[str] = []

    def listening(ask: Ask) -> str:
        seen.append(ask.messages[0].content)
        return "Be warm."

    steps = FormulatorByModel().formulate(PERSON, Random(0))
    assert list(run([steps], clients(formulator=listening), Account())) == ["Be warm."]
    assert "ZQXfalconer" in seen[0]
    assert "likes a tone that is warm" in seen[0]


def test_an_instruction_is_kept_with_the_first_session_and_asked_for_again_where_it_is_useless() -> None:
    account, answers = Account(), iter(["", "Be warm and brief.", "", " "])
    openings = [
        Opening("a", PERSON, 1, queries()[0]),
        Opening("b", PERSON, 2, queries()[1]),
        Opening("c", PERSON, 1, queries()[2]),
    ]
    everything = clients(formulator=lambda _: next(answers))
    found = list(run((converse(own, QUIET, RULES, 0) for own in openings), everything, account, together=1))
    kept = {talk.id: talk.instruction for talk in found if isinstance(talk, Trajectory)}
    assert kept == {"a": "Be warm and brief.", "b": ""}
    lost = [(talk.part, talk.reason) for talk in found if isinstance(talk, Discarded)]
    assert lost == [("formulator", "the instruction has 0 words; write 1 to 120")]
    assert asks.formulator_reader("word " * 151) == Problem("the instruction has 151 words; write 1 to 120")


def test_reading_an_adapted_query() -> None:
    query = queries()[0]
    read = asks.stylist_reader(query, "full", "short")

    def said(text: str, domain: str = query.domain, scenario: str = "planning") -> str:
        return json.dumps({"adapted_query": text, "inferred_domain": domain, "inferred_scenario": scenario})

    good = f"{query.intent} {query.ask} please, {query.context} " + "I have no idea where to begin with it. "
    found = read(said(good))
    assert isinstance(found, Reading)
    assert (found.value.text, found.value.domain, found.value.how) == (good, query.domain, "full")
    inside = good.replace(query.ask_slots[0], f"x{query.ask_slots[0]}")
    for text, message in ((said("Help!"), "missing"), (said(good * 4), "words; write"), (said(inside), "missing"),
                          (said(good, "cooking2"), "inferred_domain"),
                          (said(good, scenario="x"), "inferred_scenario"), ("[]", "value")):  # fmt: skip
        wrong = read(text)
        assert isinstance(wrong, Problem)
        assert message in wrong.message


@pytest.mark.parametrize(
    ("said", "turn", "outcome"),
    [
        ({"satisfied": True}, 2, True),
        ({"satisfied": True}, 1, "too early"),
        ({"satisfied": True, "feedback": "shorter", "serves_dim": "length_pref"}, 1, False),
        ({"satisfied": False, "feedback": "shorter", "serves_dim": "length_pref"}, 2, False),
        ({"satisfied": False, "feedback": "shorter", "serves_dim": "length_pref"}, 4, True),
        ({"satisfied": False, "feedback": "mind my length_pref", "serves_dim": "length_pref"}, 2, "names length_pref"),
        ({"satisfied": False, "feedback": "shorter", "serves_dim": "mood"}, 2, "none of"),
        ({"satisfied": False}, 2, "missing"),
        ({"satisfied": False, "feedback": "and the cost?", "serves_dim": CURIOSITY}, 2, False),
    ],
)
def test_reading_a_reaction(said: dict[str, object], turn: int, outcome: bool | str) -> None:
    found = asks.user_reader(PERSON, Moment(turn, 4, 2, "travel"))(
        json.dumps({**said, "violated_dims": ["length_pref", "invented"]})
    )
    if isinstance(outcome, str):
        assert isinstance(found, Problem)
        assert outcome in found.message
    else:
        assert isinstance(found, Reading)
        assert found.value.satisfied == outcome
        assert found.value.violated == ("length_pref",)
        assert found.value.reveals == (("length_pref",) if "shorter" in found.value.text else ())


def test_reading_noise_is_under_the_same_conditions() -> None:
    text = "Plan a trip to Lisbon for 3 days."
    meaning = extract(text)
    read = {layer: asks.noise_reader(text, meaning, layer) for layer in CHECKS}
    kept, lost = ('{"noisy_text": "uh plan a trip to Lisbon for 3 days pls"}', '{"noisy_text": "plan a trip somewhere"}')
    assert isinstance(read["surface"](kept), Reading)
    assert isinstance(read["surface"](lost), Problem)
    assert isinstance(read["incomplete information"](lost), Reading)
    assert isinstance(read["incomplete information"](kept), Problem)
    assert isinstance(read["semantic ambiguity"](kept), Problem)
    for other in ("13 days", "2.3 days", "3 daysies"):
        assert isinstance(read["surface"](kept.replace("3 days", other)), Problem)
    assert isinstance(read["surface"](json.dumps({"noisy_text": text})), Problem)


def test_reading_a_meaning_keeps_what_is_there() -> None:
    found = asks.meaning_reader("Plan 3 days in Rome.")('{"intent": "Plan", "slots": ["Rome", "Paris", "3 days"]}')
    assert isinstance(found, Reading)
    assert (found.value.intent, found.value.slots) == ("plan", ("Rome", "3 days"))
    assert isinstance(asks.meaning_reader("Plan it.")('{"intent": "cook", "slots": []}'), Problem)


def test_every_prompt_is_filled() -> None:
    people = Atlas(personas=6).users
    moment = Moment(1, 3, 2, "travel")
    transcript = (Message(role="user", content="Hi {there}"), Message(role="assistant", content="Yes {x}"))
    for person in people:
        for ask in (
            asks.formulator_ask(person, 0),
            *(asks.stylist_ask(queries()[5], person, how, length, 3, 0) for how in ("full", "partial") for length in LENGTHS),
            asks.user_ask("u", person, transcript, moment, 0),
            asks.noise_ask("n", "Plan {it}", extract("Plan {it}"), person, "surface", ("typo",), 0),
            asks.meaning_ask("m", "Plan {it}", 0),
        ):
            text = ask.messages[0].content
            assert "{traits}" not in text
            assert "{{" not in text
            assert person.id not in text
    assert asks.user_ask("u", people[0], transcript, moment, 0).schema is not None
    assert QUIET.backend == "model"


def test_a_message_without_slots_can_lose_what_it_leans_on() -> None:
    text = "Make it shorter and leave the examples, please."
    found = asks.meaning_reader(text)('{"intent": "make", "slots": []}')
    assert isinstance(found, Reading)
    assert found.value.soft
    read = asks.noise_reader(text, found.value, "incomplete information")
    bare = " ".join(word for word in text.split() if not any(word.strip(".,") in soft for soft in found.value.soft))
    assert isinstance(read(json.dumps({"noisy_text": bare})), Reading)
    assert isinstance(read(json.dumps({"noisy_text": f"{text} Thanks."})), Problem)


def test_slots_are_whole_words_and_known_ones_stay() -> None:
    found = asks.meaning_reader("I am planning a trip to Rome.", ("Rome",))('{"intent": "planning", "slots": ["a tri"]}')
    assert isinstance(found, Reading)
    assert found.value.slots == ("Rome",)
    assert isinstance(asks.meaning_reader("I am planning.")('{"intent": "plan", "slots": []}'), Problem)


def test_what_a_model_calls_both_violated_and_fulfilled_is_violated() -> None:
    name = asks.wishes(PERSON)[0]
    said = {"violated_dims": [name, CURIOSITY], "satisfied_dims": [name], "satisfied": False}
    said |= {"feedback": "Not this.", "serves_dim": name}
    found = asks.user_reader(PERSON, Moment(2, 4, 2, "travel"))(json.dumps(said))
    assert isinstance(found, Reading)
    assert (found.value.violated, found.value.fulfilled) == ((name,), ())
    blank = asks.user_reader(PERSON, Moment(2, 4, 2, "travel"))(json.dumps({**said, "feedback": "  "}))
    assert isinstance(blank, Problem)

import pytest
from judged_talks import talk
from words_encoder import WordsEncoder

from kithe.evaluation.verifier import rules
from kithe.evaluation.verifier.retrieval import Piece, nearest, parts, pieces, quote
from kithe.records.history import History


def piece(history: History, turn: int) -> Piece:
    return next(each for each in pieces(history) if each.turn == turn)


@pytest.mark.parametrize(
    "text", ["play some jazz", "What's the time?", "how far is the moon", "tell me a joke", "do I need a coat today?"]
)
def test_requests(text: str) -> None:
    assert rules.is_request(text)


@pytest.mark.parametrize(
    "text", ["I love jazz.", "play jazz, it's my favorite", "what a day, we went sailing", "We moved to Rome"]
)
def test_what_tells_about_the_user_is_no_request(text: str) -> None:
    assert not rules.is_request(text)


def test_one_request_shows_nothing_and_three_in_two_sessions_do() -> None:
    once = talk("once", "U: play Miles Davis", "A: Playing.")
    often = talk("often", "U: play Miles Davis", "A: Sure.", "U: more Miles Davis please", "--", "U: play Miles Davis again")
    assert list(rules.against_relevance(once, piece(once, 0), "I like Miles Davis.")) == [rules.REQUEST]
    assert rules.repeated(once, "I like Miles Davis.") == []
    assert rules.repeated(often, "I like Miles Davis.") == [0, 2, 3]
    assert rules.repeated(talk("same", *["U: play Miles Davis"] * 4), "I like Miles Davis.") == []


@pytest.mark.parametrize(
    ("said", "statement", "reason"),
    [
        ("If I were rich I would own a yacht.", "I own a yacht.", "imagined"),
        ("I used to play chess at school.", "I play chess.", "takes it back"),
        ("We have two dogs.", "I have five dogs.", "another number"),
    ],
)
def test_words_that_only_seem_to_support(said: str, statement: str, reason: str) -> None:
    history = talk("h", f"U: {said}")
    found = list(rules.against_relevance(history, piece(history, 0), statement))
    assert len(found) == 1
    assert reason in found[0]


@pytest.mark.parametrize(
    ("said", "statement"),
    [
        ("I would like to own a yacht one day.", "I want to own a yacht."),
        ("I used to play chess at school.", "I used to play chess."),
        ("We have two dogs.", "I have 2 dogs."),
        ("I no longer eat meat.", "I do not eat meat."),
    ],
)
def test_words_that_do_support(said: str, statement: str) -> None:
    history = talk("h", f"U: {said}")
    assert list(rules.against_relevance(history, piece(history, 0), statement)) == []


def test_what_is_taken_back_later_does_not_hold() -> None:
    history = talk("h", "U: I play tennis on Mondays.", "--", "U: I gave up tennis, my knee.")
    assert list(rules.against_relevance(history, piece(history, 0), "I play tennis.")) == ["the user takes it back"]
    assert list(rules.against_relevance(history, piece(history, 0), "I have played on Mondays.")) == []


@pytest.mark.parametrize(
    ("said", "statement", "reason"),
    [
        ("set a timer", "I am interested in timers.", "everyday"),
        ("play something", "I like music.", "too general"),
        ("call Ann", "I know Ann.", "too general"),
        ("remind me of my insulin", "I have diabetes.", "guessed"),
        ("what is the capital of Peru?", "I am interested in Peru.", "errand"),
        ("I like tea, I hate tea", "I like tea and I hate tea.", "contradicts"),
        ("Let's pretend I'm a pirate.", "I am a pirate.", "imagined"),
    ],
)
def test_statements_that_are_not_sensible(said: str, statement: str, reason: str) -> None:
    history = talk("h", f"U: {said}")
    assert any(reason in found for found in rules.against_sensibility(history, pieces(history), statement))


@pytest.mark.parametrize(
    ("said", "statement"),
    [
        ("I have type 1 diabetes.", "I have diabetes."),
        ("I love pop music.", "I like pop music."),
        ("I'm allergic to nuts", "I have a nut allergy."),
        ("I am into Peru and its food.", "I am interested in Peru."),
    ],
)
def test_statements_that_are_sensible(said: str, statement: str) -> None:
    history = talk("h", f"U: {said}")
    assert list(rules.against_sensibility(history, pieces(history), statement)) == []


def test_a_question_of_the_other_speaker_may_be_agreed_to() -> None:
    history = talk("h", "A: Are you a vegetarian or religious?", "U: The latter.")
    assert list(rules.against_sensibility(history, pieces(history), "I am religious.")) == []


LONG = "I get up at six. " * 20 + "My parrot is called Otto. " + "Then I have tea. " * 20


def test_long_turns_come_in_pieces_of_whole_sentences() -> None:
    cut = parts(LONG.strip())
    assert len(cut) > 1
    assert all(part in LONG and part.endswith(".") and len(part.split()) <= 80 for part in cut)
    assert sum(len(part.split()) for part in cut) == len(LONG.split())
    assert parts("word " * 200) == ["word " * 200]


def test_only_the_user_is_searched_and_context_helps() -> None:
    history = talk("h", "A: Do you still sail?", "U: Every week.", "A: I have a parrot.", "U: Fine.", "--", "U: My cat sleeps.")
    found = pieces(history)
    assert [each.turn for each in found] == [1, 3, 4]
    assert [each.context for each in found] == ["Do you still sail?", "I have a parrot.", ""]
    assert nearest(found, "I sail.", WordsEncoder(), 1) == [0]
    assert nearest(found, "I have a cat.", WordsEncoder(), 2)[0] == 2
    assert nearest(found, "Anything.", WordsEncoder(), 9) == [0, 1, 2]


def test_quotes_are_verbatim() -> None:
    history = talk("h", f"U: {LONG.strip()}")
    near = pieces(history)[nearest(pieces(history), "I have a parrot.", WordsEncoder(), 1)[0]]
    said = quote(near, "I have a parrot called Otto.")
    assert said == "My parrot is called Otto."
    assert said in history.turns[0].text
    assert quote(Piece(0, "No. Yes!", ""), "I like tea.") == "No. Yes!"

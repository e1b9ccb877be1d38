"""Generated conversations beside others: told apart where they differ, not where they are of one kind; the blinded package."""

from pathlib import Path

from kithe.annotation.blind import turing
from kithe.ip_dialog.corpus import IPDialogData
from kithe.ip_dialog.teacher import Scripted
from kithe.quality.measure import Sizes, draw, realism
from kithe.quality.texts import corpus
from kithe.quality.twosample import on_words
from kithe.records.base import write_lines
from kithe.records.history import History, Turn


def made(seed: int, per_task: int = 3) -> list[History]:
    data = IPDialogData(Scripted(leaks=0, contradictions=0), per_task=per_task, duplicates=None)
    found = data.histories("train", seed)
    return [item.model_copy(update={"id": f"{seed}-{item.id}"}) for item in found]


def people() -> list[History]:
    texts = ("went fishing with my uncle", "the bus was late as ever", "painted the fence green", "lost a bet about owls")
    return [
        History(
            id=f"person-{number}",
            source="people",
            user="ann",
            turns=tuple(
                Turn(speaker="ann" if place % 2 == 0 else "bob", text=f"well i {texts[(number + place) % 4]} {number} times lol")
                for place in range(6)
            ),
        )
        for number in range(30)
    ]


def test_what_differs_is_told_apart_and_what_is_of_one_kind_is_not() -> None:
    ours, theirs = made(1, 4), corpus("people", people())
    one, two = corpus("one", ours[::2]), corpus("two", ours[1::2])
    assert on_words(one.passages, theirs.passages).figure.value > 0.99
    alike = on_words(one.passages, two.passages).figure
    assert alike.low is not None
    assert alike.low < 0.55


def test_the_two_sample_test_takes_generated_items() -> None:
    class Lengths:
        def encode(self, texts):  # type: ignore[no-untyped-def]
            import numpy as np

            found = np.array([[len(text), text.count("e"), 1.0] for text in texts], dtype=np.float32)
            return found / np.linalg.norm(found, axis=1, keepdims=True)

    sizes = Sizes(passages=60)
    own, other = (draw(corpus(name, part), Lengths(), None, sizes) for name, part in (("made", made(1)), ("people", people())))
    found = {entry.metric: entry.figure.value for entry in realism(own, other, sizes)}
    assert found["told_apart_by_words_auc"] > 0.99


def test_the_blinded_package_pairs_them_and_hides_who_is_who(tmp_path: Path) -> None:
    for name, part in (("made", made(1)), ("people", people())):
        write_lines(tmp_path / f"{name}.jsonl", [item.line() for item in part])
    package = turing("mine", str(tmp_path / "made.jsonl"), str(tmp_path / "people.jsonl"), tmp_path, pairs=20)
    assert len(package.tasks) == 20
    assert {task.truth for task in package.tasks} == {"first", "second"}
    for task in package.tasks:
        human = task.panes[0 if task.truth == "first" else 1]
        assert all("lol" in turn.text for turn in human.turns)
        assert len(task.panes[0].turns) == len(task.panes[1].turns)
        assert {turn.speaker for pane in task.panes for turn in pane.turns} <= {"A", "B"}

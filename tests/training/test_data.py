from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import examples, tokenizer

from kithe.errors import ConfigError
from kithe.llm.chat import Encoded
from kithe.records.chat import ChatExample, Message
from kithe.training.data import Loader, Plan, collate, evaluation_batches, tokenise


def row(length: int, learnt: int = 1) -> Encoded:
    return Encoded(list(range(1, length + 1)), [False] * (length - learnt) + [True] * learnt)


def plan(lengths: list[int], *, epochs: float = 1, effective: int = 8, micro: int = 1, world: int = 1, seed: int = 0) -> Plan:
    supervised = [length // 2 for length in lengths]
    return Plan.make(lengths, supervised, seed=seed, epochs=epochs, effective_batch=effective, micro_batch=micro, world=world)


lengths_of = st.lists(st.integers(2, 90), min_size=1, max_size=150)


@settings(max_examples=80, deadline=None)
@given(lengths=lengths_of, epochs=st.sampled_from([0.3, 1, 2, 2.5]), seed=st.integers(0, 9))
def test_micro_batches_and_ranks_only_divide_what_a_step_learns_from(lengths: list[int], epochs: float, seed: int) -> None:
    whole = plan(lengths, epochs=epochs, micro=8, seed=seed)
    for micro, world in [(1, 1), (2, 1), (1, 2), (4, 2), (2, 4), (1, 8)]:
        divided = plan(lengths, epochs=epochs, micro=micro, world=world, seed=seed)
        assert (divided.batches, divided.targets, divided.tokens) == (whole.batches, whole.targets, whole.tokens)
        assert divided.accumulation * micro * world == 8
        for step, batch in enumerate(divided.batches):
            given_out = [divided.micro_batches(step, rank) for rank in range(world)]
            assert all(len(parts) == divided.accumulation and {len(part) for part in parts} == {micro} for parts in given_out)
            assert Counter(number for parts in given_out for part in parts for number in part) == Counter(batch)


@settings(max_examples=80, deadline=None)
@given(lengths=lengths_of, epochs=st.sampled_from([0.3, 1, 2, 2.5]), seed=st.integers(0, 9))
def test_every_row_comes_equally_often(lengths: list[int], epochs: float, seed: int) -> None:
    made = plan(lengths, epochs=epochs, seed=seed)
    assert made.steps == max(1, -(-int(len(lengths) * epochs * 10) // 80))
    counted = Counter(number for batch in made.batches for number in batch)
    total = made.steps * 8
    assert {counted.get(number, 0) for number in range(len(lengths))} <= {total // len(lengths), -(-total // len(lengths))}
    assert made.targets == tuple(sum(lengths[number] // 2 for number in batch) for batch in made.batches)
    assert made.tokens == sum(lengths[number] for batch in made.batches for number in batch)


def test_the_seed_decides_the_order_and_lengths_are_near_each_other() -> None:
    lengths = [10 + number % 50 for number in range(512)]
    first, again, other = plan(lengths), plan(lengths), plan(lengths, seed=1)
    assert first == again
    assert first.batches != other.batches
    spread = [max(lengths[number] for number in batch) - min(lengths[number] for number in batch) for batch in first.batches]
    assert sum(spread) / len(spread) < 12  # batches drawn without regard to length: above 40


@pytest.mark.parametrize(
    ("effective", "micro", "world", "nearest"),
    [(16, 3, 2, "12 or 18"), (16, 3, 1, "15 or 18"), (2, 4, 1, "4"), (8, 1, 3, "6 or 9"), (8, 0, 1, "none")],
)
def test_a_remainder_is_refused_with_the_nearest_values(effective: int, micro: int, world: int, nearest: str) -> None:
    with pytest.raises(ConfigError, match=rf"effective_batch={effective}.*micro_batch={micro} times {world} .*: {nearest}"):
        plan([5, 5], effective=effective, micro=micro, world=world)


def test_nothing_to_plan_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"max_length"):
        plan([])


def test_collation_pads_on_the_right_and_masks() -> None:
    batch = collate([row(3, 2), row(5, 1)], targets=9, step=4, draw=2)
    assert batch.ids.tolist() == [[1, 2, 3, 0, 0], [1, 2, 3, 4, 5]]
    assert batch.attention.tolist() == [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]]
    assert batch.supervised.tolist() == [[False, True, True, False, False], [False, False, False, False, True]]
    assert (batch.targets, batch.step, batch.draw) == (9, 4, 2)


def drawn(loader: Loader) -> list[list[list[int]]]:
    return [batch.ids.tolist() for batch in loader]


@pytest.mark.parametrize(("micro", "world"), [(4, 1), (1, 1), (2, 2)])
def test_a_loader_goes_on_after_the_last_whole_step(micro: int, world: int) -> None:
    rows = [row(2 + number % 7) for number in range(21)]
    lengths = [len(each.ids) for each in rows]
    before, after = plan(lengths, epochs=2, micro=4), plan(lengths, epochs=2, micro=micro, world=world)
    source = Loader(rows, before, 0)
    given_out = iter(source)
    for _ in range(3 * before.accumulation):
        next(given_out)
    assert source.state_dict() == {"step": 3}
    for rank in range(world):
        straight = drawn(Loader(rows, after, rank))
        resumed = Loader(rows, after, rank)
        resumed.load_state_dict(source.state_dict())
        assert len(resumed) == len(straight) == after.steps * after.accumulation
        assert drawn(resumed) == straight[3 * after.accumulation :]
        assert resumed.state_dict() == {"step": after.steps}


def test_ranks_and_micro_batches_draw_differently() -> None:
    rows = [row(4) for _ in range(16)]
    made = plan([4] * 16, effective=16, micro=2, world=2)
    draws = [(batch.step, batch.draw) for rank in range(2) for batch in Loader(rows, made, rank)]
    assert sorted(draws) == [(0, draw) for draw in range(8)]


@pytest.mark.parametrize("world", [1, 2, 3])
def test_ranks_share_held_out_rows_in_equally_many_batches(world: int) -> None:
    rows = [row(3 + number, 2) for number in range(7)]
    shares = [evaluation_batches(rows, 2, rank, world) for rank in range(world)]
    assert len({len(share) for share in shares}) == 1
    assert sum(int(batch.supervised.sum()) for share in shares for batch in share) == 14


def test_long_examples_are_dropped_and_counted_never_cut() -> None:
    words, rows = tokenizer(), examples(6)
    lengths = sorted(len(each.ids) for each in tokenise(words, rows, 1000).rows)
    kept = tokenise(words, rows, lengths[3])
    assert (len(kept.rows), kept.dropped) == (4, 2)
    assert all(each.ids[-1] == words.eos_token_id and each.supervised[-1] for each in kept.rows)


def test_an_example_without_answer_is_named() -> None:
    silent = ChatExample(id="h7#2", prompt=(Message(role="user", content="Hello"),), answer="")
    with pytest.raises(ValueError, match="'h7#2': nothing to learn"):
        tokenise(tokenizer(), [silent], 100)
    assert torch.equal(collate([row(2)]).attention, torch.ones(1, 2, dtype=torch.int64))

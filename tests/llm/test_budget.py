"""Upper bounds, what is left of a budget, estimates, and how concurrency moves."""

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithe.config.compose import compose, instantiate, plain
from kithe.errors import ConfigError
from kithe.llm.budget import Amount, Budget, Ledger, Prices, bound, estimate, prompt_bound
from kithe.llm.cache import Cached
from kithe.llm.endpoint import Endpoint
from kithe.llm.inprocess import InProcess
from kithe.llm.pace import Pace, delay
from kithe.llm.wire import retry_after, strict
from tests.llm.test_scripted_client import ask

AMOUNTS = st.builds(Amount, calls=st.just(1), tokens=st.integers(0, 50), cost=st.integers(0, 8).map(float))


@pytest.fixture(params=[False, True], ids=["memory", "file"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str | None:
    return str(tmp_path / "ledger") if request.param else None


@pytest.mark.parametrize(
    ("limit", "fits"), [({}, 5), ({"max_calls": 3}, 3), ({"max_tokens": 25}, 2), ({"max_cost": 1.0}, 4), ({"max_cost": 0.0}, 0)]
)
def test_what_fits(place: str | None, limit: dict[str, Any], fits: int) -> None:
    ledger = Ledger(Budget(**limit, ledger=place))
    assert [ledger.reserve(Amount(1, 10, 0.25)) for _ in range(5)] == [n < fits for n in range(5)]
    assert ledger.spent() == Amount(fits, 10 * fits, 0.25 * fits)
    if fits:
        ledger.settle(Amount(1, 10, 0.25), Amount(1, 3, 0.05))
        assert ledger.spent().tokens == 10 * fits - 7
    ledger.close()


@given(steps=st.lists(st.tuples(AMOUNTS, st.floats(0, 1)), max_size=30))
def test_a_budget_is_never_exceeded(steps: list[tuple[Amount, float]]) -> None:
    ledger, actual = Ledger(Budget(max_tokens=200, max_cost=20.0)), 0
    for amount, share in steps:
        if ledger.reserve(amount):
            used = Amount(1, int(amount.tokens * share), amount.cost * share)
            ledger.settle(amount, used)
            actual += used.tokens
        assert ledger.spent().tokens == actual <= 200
        assert ledger.spent().cost <= 20.0 + 1e-9


def test_two_ledgers_on_one_file_are_one_budget(tmp_path: Path) -> None:
    one, other = (Ledger(Budget(max_calls=3, ledger=str(tmp_path / "l"))) for _ in range(2))
    assert [ledger.reserve(Amount(1)) for ledger in (one, other, one, other)] == [True, True, True, False]


def test_estimates_bound_the_truth() -> None:
    asks = [ask("a", "x" * 400, max_tokens=100), ask("b", "日本" * 10, max_tokens=50, schema={"type": "array"})]
    found = estimate(iter(asks), Prices(input=2.0, output=10.0))
    assert (found.calls, found.new_tokens_at_most) == (2, 150)
    assert found.prompt_tokens_at_most == sum(map(prompt_bound, asks)) >= 400 + 60
    assert 100 <= found.prompt_tokens < found.prompt_tokens_at_most
    assert found.cost_at_most == pytest.approx((found.prompt_tokens_at_most * 2 + 1500) / 1e6)
    assert found.cost_likely_at_most < found.cost_at_most
    assert bound(asks[0], Prices(2.0, 10.0)).cost == pytest.approx((prompt_bound(asks[0]) * 2 + 1000) / 1e6)


def test_prices_are_not_negative() -> None:
    with pytest.raises(ConfigError, match="not negative"):
        Prices(input=-1)


def test_the_pace_grows_to_its_limit_and_is_cut_once_for_calls_that_ran_together() -> None:
    pace = Pace(most=32, timeout=10.0)
    for _ in range(200):
        pace.active = int(pace.limit)
        pace.answered(pace.eras, 0.1)
    assert pace.limit == 32
    era = pace.eras
    for _ in range(20):
        pace.busy(era)
    assert pace.limit == 16
    pace.late(pace.eras)
    assert pace.limit == pytest.approx(16 * 0.7)
    pace.answered(pace.eras, 9.0)
    assert pace.limit == pytest.approx(16 * 0.7 * 0.9)
    for _ in range(200):
        pace.busy(pace.eras)
    assert pace.limit == 1


def test_an_idle_client_does_not_grow() -> None:
    pace = Pace(most=32, timeout=10.0)
    pace.active = 1
    before = pace.limit
    for _ in range(50):
        pace.answered(pace.eras, 0.1)
    assert pace.limit == before


@given(attempt=st.integers(0, 20), after=st.none() | st.floats(0, 1000), seed=st.integers(0, 99))
def test_delays(attempt: int, after: float | None, seed: int) -> None:
    found = delay(attempt, after, random.Random(seed))
    if after is None:
        assert 0 <= found <= min(30.0, 0.5 * 2**attempt)
    else:
        assert after <= found <= after + 1.0


def test_retry_after_in_all_its_forms() -> None:
    assert retry_after({"retry-after": "7"}) == 7
    assert retry_after({"retry-after-ms": "1500", "retry-after": "7"}) == 1.5
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0
    assert retry_after({}) is retry_after({"retry-after": "soon"}) is retry_after({"retry-after": "-3"}) is None


def test_strict_schemas() -> None:
    closed = {"type": "object", "properties": {"a": {}}, "required": ["a"], "additionalProperties": False}
    assert strict({"type": "array", "items": closed})
    assert not strict({"type": "array", "items": {**closed, "required": []}})
    assert not strict({"anyOf": [closed, {"type": "object"}]})


def test_the_config_nodes_build_clients(tmp_path: Path) -> None:
    """Any option can hold a client; the nodes of conf/llm are made to be placed inside it."""
    words = ["+llm@teacher.client=endpoint", "teacher.client.client.model=some", f"paths.store={tmp_path}"]
    node = instantiate({"_target_": "builtins.dict", "client": _node(words)})["client"]
    assert isinstance(node, Cached)
    assert isinstance(node.client, Endpoint)
    assert (node.client.model, node.client.budget.ledger) == ("some", f"{tmp_path}/llm-spent.sqlite")
    local = instantiate(_node(["+llm@teacher.client=local", f"paths.store={tmp_path}"]))
    assert isinstance(local.client, InProcess)
    assert local.client.model.name == "smollm2-135m"
    assert list(tmp_path.iterdir()) == []


def _node(words: list[str]) -> dict[str, Any]:
    from omegaconf import OmegaConf

    found = OmegaConf.to_container(compose(words).teacher.client, resolve=True)
    assert isinstance(found, dict)
    return {str(key): value for key, value in found.items()}


def test_a_node_that_does_not_fit_is_said(tmp_path: Path) -> None:
    words = ["+llm@teacher.client=endpoint", "teacher.client.client.model=m", "teacher.client.client.concurrency=many"]
    with pytest.raises(ConfigError, match=r"teacher\.client\.client\.concurrency"):
        plain(compose(words))

"""What rewritten messages are worth by domain and by wish."""

from typing import Any

from report_cases import result

from kithe.report.rewriting import general
from kithe.report.rows import rows

USERS = {
    "a": {"domain": "travel", "delta.personalisation": 3.0, "met.tone_pref": 1.0, "met.length_pref": None},
    "b": {"domain": "travel", "delta.personalisation": 1.0, "met.tone_pref": 0.0},
    "c": {"domain": "music", "delta.personalisation": None, "met.length_pref": 1.0},
    "d": {"domain": "music", "delta.personalisation": -1.5},
}


def test_gains_by_domain_and_wishes_met_by_hand() -> None:
    cells = dict(zip(("A", "B"), rows([result("a"), result("b", cell={"adapt": "sft"})]), strict=True))
    few: dict[str, Any] = {"a": USERS["a"]}
    domains, wishes = general(cells, lambda run, test_set: USERS if run == cells["A"].runs[0] else few)
    assert domains.header == ("gain in personalisation by domain", "n", "A", "B")
    assert [row[:2] for row in domains.body] == [("music", "1"), ("travel", "2")]
    assert domains.body[0][2].startswith("-1.500")  # who has no verdict is out
    assert domains.body[1][2].startswith("2.000 [1.000, 3.000]")
    assert domains.body[1][3].startswith("3.000")
    assert domains.body[0][3] == "–"
    assert [row[:2] for row in wishes.body] == [("length_pref", "1"), ("tone_pref", "2")]
    assert wishes.body[1][2].startswith(".500 [.000, 1.000]")


def test_other_tasks_have_none() -> None:
    cells = {"A": rows([result("a")])[0]}
    assert general(cells, lambda run, test_set: {"u": {"id": "u", "tp": 1, "predicted": 2, "gold": 2}}) == []
    assert general(cells, lambda run, test_set: {}) == []

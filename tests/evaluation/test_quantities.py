import pytest

from kithe.evaluation.quantities import agree, periods, quantities
from kithe.evaluation.statements import plain


@pytest.mark.parametrize(
    ("statement", "numbers"),
    [
        ("I have two cats.", {"2"}),
        ("i have 5cats.", {"5"}),
        ("I am twenty five and have 3 kids.", {"25", "3"}),
        ("It is my twenty-first birthday.", {"21"}),
        ("I walk ten thousand steps.", {"10000"}),
        ("I walk 10,000 steps.", {"10000"}),
        ("I earn 50k a year.", {"50000"}),
        ("I have a dozen guitars.", {"12"}),
        ("I live on the 3rd floor.", {"3"}),
        ("I live on the third floor.", {"3"}),
        ("I have half an hour.", {"30 min"}),
        ("It takes an hour.", {"60 min"}),
        ("It takes two hours.", {"120 min"}),
        ("I get up at six in the morning.", {"06:00"}),
        ("I start at 5 pm.", {"17:00"}),
        ("I am up by 12 am.", {"00:00"}),
        ("I get up at 5:30.", {"05:30"}),
        ("I like films from the eighties.", {"80s"}),
        ("I like films from the 1980s.", {"80s"}),
        ("I am forty something.", {"40s"}),
        ("My son is 4 years old.", {"4"}),
        ("I am 5.5 feet tall.", {"5.5"}),
        ("It is one of my passions, and one day I will do it.", set()),
        ("I like this one.", set()),
        ("I have cats.", set()),
    ],
)
def test_numbers_in_one_notation(statement: str, numbers: set[str]) -> None:
    assert quantities(plain(statement))[0] == numbers


def test_the_rest_of_the_text_has_no_numbers() -> None:
    assert quantities("i have two cats and 30 minutes") == (frozenset({"2", "30 min"}), "i have cats and")


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("I run every morning.", {"day"}),
        ("I run twice a week.", {"week"}),
        ("I do it daily and monthly.", {"day", "month"}),
        ("I run.", set()),
    ],
)
def test_periods(statement: str, expected: set[str]) -> None:
    assert periods(quantities(plain(statement))[1]) == expected


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("6", "06:00", True),
        ("6", "18:00", True),
        ("6", "06:30", False),
        ("17:00", "05:00", False),
        ("2", "3", False),
        ("2", "2", True),
    ],
)
def test_a_bare_hour_agrees_with_a_clock(one: str, other: str, same: bool) -> None:
    assert agree(one, other) is agree(other, one) is same

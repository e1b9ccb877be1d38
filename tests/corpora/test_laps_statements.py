"""LAPS values become first-person statements."""

import gzip
import json
import re
from pathlib import Path

import pytest

from kithe.corpora.laps import statement, table
from kithe.errors import ConfigError
from kithe.personas.ontology import ontology

CASES = [
    ("recipe/allergies", None, "nuts", "I am allergic to nuts."),
    ("recipe/allergies", None, "No allergies", "I have no allergies."),
    ("recipe/allergies", None, "None", "I have no allergies."),
    ("recipe/allergies", None, "peanut allergy", "I have a peanut allergy."),
    ("recipe/allergies", None, "lactose intolerant", "I am lactose intolerant."),
    ("recipe/diet_requirements", None, "vegetarian", "I am vegetarian."),
    ("recipe/diet_requirements", None, "No red meat", "I don't eat red meat."),
    ("recipe/diet_requirements", None, "Does not eat pork", "I don't eat pork."),
    ("recipe/diet_requirements", None, "No dietary restrictions", "I have no dietary restrictions."),
    ("recipe/diet_requirements", None, "low carb", "I follow a low carb diet."),
    ("recipe/skill_level", None, "beginner", "I am a beginner."),
    ("recipe/skill_level", None, "intermediate", "I am an intermediate cook."),
    ("recipe/skill_level", None, "pretty good cook", "I am a pretty good cook."),
    ("recipe/skill_level", None, "basic", "My cooking skill level is basic."),
    ("recipe/time_availability", None, "30 minutes", "I have 30 minutes to cook."),
    ("recipe/time_availability", None, "about an hour for lunch", "I have about an hour for lunch."),
    ("recipe/time_availability", None, "not much time", "I don't have much time to cook."),
    ("recipe/time_availability", None, "quick and easy", "I want something quick and easy."),
    ("recipe/time_availability", None, "no rush", "I am in no rush."),
    ("recipe/dish", "positive", "pasta", "I like pasta."),
    ("recipe/dish", "negative", "sandwiches", "I don't like sandwiches."),
    ("recipe/dish", "negative", "too spicy", "I don't like food that is too spicy."),
    ("recipe/dish", "negative", "None mentioned", "There is no dish I particularly dislike."),
    ("recipe/ingredient", "negative", "no cheese", "I don't like cheese."),
    ("recipe/cuisine", "positive", "Italian", "I like Italian food."),
    ("recipe/ingredient_availability", None, "eggs", "I have eggs."),
    ("recipe/companions", None, "just for me", "I am cooking just for myself."),
    ("recipe/companions", None, "husband", "I am cooking for my husband."),
    ("recipe/health_goals", None, "eat healthy", "I want to eat healthy."),
    ("recipe/health_goals", None, "muscle growth", "My health goal is muscle growth."),
    ("recipe/occasion_or_theme", None, "not a special occasion", "I have no special occasion or theme."),
    ("recipe/companion_preferences", "positive", "chicken", "The people I cook for like chicken."),
    ("movie/genre_preferences", "positive", "comedy", "I like comedy movies."),
    ("movie/genre_preferences", "negative", "musicals", "I don't like musicals."),
    ("movie/movie", "positive", "Home Alone", "I like the movie Home Alone."),
    ("movie/actor", "positive", "Christopher Nolan (director)", "I like Christopher Nolan."),
    ("movie/actor", "negative", "none in particular", "There is no actor or director I avoid."),
    ("movie/frequently_watched", None, "horror", "I often watch horror movies."),
    ("movie/viewing_companions", None, "alone", "I am watching alone."),
    ("movie/viewing_companions", None, "with family", "I am watching with my family."),
    ("movie/users_mood", None, "wants to laugh", "I want to laugh."),
    ("movie/users_mood", None, "bored", "I feel bored."),
    ("movie/content_restrictions", None, "no gore", "I don't want gore in a movie."),
    ("movie/content_restrictions", None, "suitable for all ages", "I want movies that are suitable for all ages."),
    ("movie/platform_availability", None, "Netflix", "I watch movies on Netflix."),
    ("movie/release_period_preferences", None, "80s", "I like movies from the 80s."),
    ("movie/seasonal_themes", None, "Christmas", "I want movies about Christmas."),
    ("movie/cultural_preferences", "positive", "set in Japan", "I like movies set in Japan."),
    ("recipe/dish", "positive", "prefers simple meals", "I prefer simple meals."),
    ("recipe/dish", "negative", "Foods similar to what the user already makes", "I don't like Foods similar to what I make."),
]


@pytest.mark.parametrize(("category", "polarity", "value", "expected"), CASES)
def test_values_become_sentences(category: str, polarity: str | None, value: str, expected: str) -> None:
    assert statement(value, category, polarity).text == expected


def test_a_capital_nobody_wrote_goes() -> None:
    assert statement("Comedy", "movie/genre_preferences", "positive", frozenset({"comedy"})).text == "I like comedy movies."
    assert statement("Comedy", "movie/genre_preferences", "positive", frozenset({"Comedy"})).text == "I like Comedy movies."
    assert statement("Bill Murray", "movie/actor", "positive", frozenset({"bill"})).text == "I like Bill Murray."


def test_an_unknown_category_is_named() -> None:
    with pytest.raises(ConfigError, match="did you mean 'recipe/allergies'"):
        statement("nuts", "recipe/alergies")


def test_every_category_maps_to_the_ontology() -> None:
    assert set(table().categories.values()) <= set(ontology().categories)
    assert len(table().categories) == 26


def test_every_training_value_becomes_a_short_sentence(data: Path) -> None:
    with gzip.open(data / "laps" / "train.jsonl.gz", "rt", encoding="utf-8") as lines:
        gold = [fact for line in lines for fact in json.loads(line)["gold"]]
    said = [statement(fact["value"], fact["category"], fact.get("polarity")) for fact in gold]
    assert {fact["category"] for fact in gold} == set(table().categories)
    assert all(re.fullmatch(r"[A-Z0-9'\"“].*[.!?]", each.text) for each in said)
    assert not [each.text for each in said if "{" in each.text or "the user" in each.text.lower()]
    assert sum(len(each.text.split()) > 20 for each in said) == 0
    first_person = sum(bool(re.search(r"\b(?:I|my|me)\b", each.text, re.I)) for each in said)
    assert first_person / len(said) > 0.98

"""The interest taxonomy itself: its size and shape, and what its names must and must not be."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest

from kithe.llm.embed import Embedder
from kithe.personas.taxonomy import Node, plain, taxonomy

SIZES = (93, 71, 65, 67, 119, 58, 84, 43, 133, 58, 76, 115, 53, 89, 89, 69,
         65, 49, 60, 65, 34, 61, 43, 61, 46, 43, 48, 50, 58, 66, 34, 34)  # fmt: skip
SMALL_WORDS = {"a", "an", "and", "as", "at", "by", "de", "del", "for", "from", "in", "of", "on", "or", "the", "to", "with", "&"}
SPECIAL = """
adhd aids allergy alzheimer anxiety arthritis asthma autism bipolar cancer cholesterol chronic coeliac covid dementia
depression diabetes diabetic disease disorder eczema epilepsy fertility hiv hypertension ibs infertility insomnia menopause
migraine obesity patient pregnancy pregnant psoriasis ptsd therapy trauma
agnostic atheist atheism baptist bible buddhist buddhism catholic christian christianity evangelical hindu hinduism islam
islamic jain jewish judaism mormon muslim orthodox protestant quran sikh sikhism torah
asexual bisexual gay heterosexual homosexual lesbian lgbt lgbtq pride queer trans transgender
conservative labour leftist liberal republican socialist
"""
BRANDS = """
adidas airbnb alexa amazon android apple barbie disney etsy facebook ferrari fender fitbit ghibli google gucci ikea instagram
iphone kindle lego marvel microsoft netflix nike nintendo parkrun peloton playstation pokemon porsche rolex samsung scrabble
sony spotify starbucks steam tesla tiktok toyota twitter uber xbox youtube zumba
"""
UNAVOIDABLE = {"amazon": {"Amazon Reporting"}, "steam": {"Steam Locomotives"}}  # a river, and water


def everything() -> list[Node]:
    return list(taxonomy().nodes.values())


def test_size_and_shape() -> None:
    tree = taxonomy()
    assert tree.counts == (1, 32, 251, 928, 720, 168)
    assert sum(tree.counts) - 1 == 2099
    assert [len(tree.below(top.id)) for top in tree.categories] == list(SIZES)


def test_it_is_one_tree_without_a_cycle() -> None:
    assert [node for node in everything() if node.parent is None] == [taxonomy().root]
    for node in everything():
        line = taxonomy().line(node.id)
        assert line[0] == taxonomy().root
        assert [step.depth for step in line] == list(range(node.depth + 1))
    children = Counter(child for node in everything() for child in node.children)
    assert set(children.values()) == {1}
    assert len(children) == len(everything()) - 1


def test_every_branch_divides() -> None:
    assert [node.id for node in everything() if len(node.children) == 1 or (node.depth == 2 and node.leaf)] == []


def test_leaves_are_most_nodes_and_of_all_depths() -> None:
    leaves = taxonomy().leaves
    assert 0.60 <= len(leaves) / (len(everything()) - 1) <= 0.75
    depths = Counter(leaf.depth for leaf in leaves)
    assert set(depths) == {3, 4, 5}
    assert depths[3] >= 0.08 * len(leaves)
    assert depths[5] >= 0.08 * len(leaves)
    assert {taxonomy().above(leaf.id, 1).id for leaf in leaves if leaf.depth == 5} == {top.id for top in taxonomy().categories}


def test_names_are_short_and_in_title_case() -> None:
    for node in everything():
        words = node.name.split()
        assert len(words) <= 5, node.name
        assert node.name == " ".join(words)
        for place, word in enumerate(words):
            assert word[0].isupper() or word[0].isdigit() or (place and word in SMALL_WORDS) or word == "&", node.name


def test_a_leaf_has_its_name_for_itself() -> None:
    names = Counter(plain(node.name) for node in everything())
    assert [leaf.id for leaf in taxonomy().leaves if names[plain(leaf.name)] > 1] == []


@pytest.mark.parametrize("words", [SPECIAL.split(), BRANDS.split()], ids=["special categories", "brands"])
def test_no_leaf_says_what_must_not_be_inferred_and_none_advertises(words: list[str]) -> None:
    for word in words:
        found = {node.name for node in everything() if {word, f"{word}s"} & set(plain(node.name).split())}
        assert found <= UNAVOIDABLE.get(word, set()), word


def test_leaves_come_from_all_over_the_world() -> None:
    regions = {
        "Africa": "african ethiopian nigerian moroccan ghanaian senegalese malian zulu maasai swahili yoruba nubian shona",
        "Asia": "japanese korean chinese indian persian vietnamese thai indonesian taiwanese filipino mongolian bengali sri",
        "Europe": "scottish polish italian spanish portuguese nordic greek balkan georgian finnish welsh basque sardinian",
        "Americas": "mexican brazilian peruvian argentine colombian andean caribbean cuban quechua maya haitian alaskan",
        "Oceania": "maori fijian polynesian australian zealand fiordland pacific samoan",
        "Middle East": "lebanese turkish arabic ottoman egypt anatolian middle tuareg",
    }
    words = Counter(word for node in everything() for word in set(plain(node.name).split()))
    for region, marks in regions.items():
        assert sum(words[mark] for mark in marks.split()) >= 6, region


def test_siblings_do_not_mean_the_same() -> None:
    names = [node.name for node in everything()]
    vectors = dict(zip(names, Embedder().encode(names), strict=True))
    for node in everything():
        for one, other in combinations(node.children, 2):
            pair = (taxonomy().nodes[one].name, taxonomy().nodes[other].name)
            assert float(np.dot(vectors[pair[0]], vectors[pair[1]])) < 0.92, pair

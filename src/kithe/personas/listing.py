"""The ontology as `kithe show ontology` prints it."""

import json
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from kithe.errors import unknown
from kithe.personas.ontology import Entity, ontology


def listed(which: str = "") -> tuple[Entity, ...]:
    """All attributes, those of a tier or a category, or one by its key; upper and lower case make no difference.

    Raises:
        ConfigError: there is no such tier, category or key.
    """
    found = tuple(entity for entity in ontology().entities if _is_in(which.lower(), entity))
    if not found:
        names = (*ontology().tiers, *ontology().categories, *ontology().keys)
        near = get_close_matches(which.lower(), map(str.lower, names), n=3, cutoff=0.5)
        raise unknown("tier, category or key of the ontology", which, [name for name in names if name.lower() in near] or names)
    return found


def _is_in(name: str, entity: Entity) -> bool:
    return name in ("", entity.key, entity.tier.lower(), entity.category.lower())


def as_json(entities: Sequence[Entity]) -> str:
    """A JSON list of attributes."""
    return json.dumps([_row(entity) for entity in entities], indent=1, ensure_ascii=False)


def _row(entity: Entity) -> dict[str, Any]:
    return {
        "key": entity.key, "tier": entity.tier, "category": entity.category, "entity_type": entity.key, "kind": entity.kind,
        "values": list(entity.allowed), "hints": list(entity.hints), "sensitivity": entity.sensitivity}  # fmt: skip


def as_text(entities: Sequence[Entity]) -> str:
    """Attributes under their tiers and categories."""
    lines: list[str] = []
    tier = category = ""
    for entity in entities:
        if entity.tier != tier:
            lines.append(entity.tier)
        if (entity.tier, entity.category) != (tier, category):
            lines.append(f"  {entity.category}")
        tier, category = entity.tier, entity.category
        mark = ("", " (personal)", " (special)")[entity.sensitivity]
        shown = ", ".join(entity.allowed) if entity.allowed else f"such as: {'; '.join(entity.hints[:2])}"
        lines.append(f"    {entity.key}  {entity.kind}{mark}  {shown}")
    return "\n".join(lines)

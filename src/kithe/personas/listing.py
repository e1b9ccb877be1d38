"""The ontology as `kithe show ontology` prints it."""

import json
from collections.abc import Sequence
from typing import Any

from kithe.errors import unknown
from kithe.personas.ontology import Entity, ontology


def listed(which: str = "") -> tuple[Entity, ...]:
    """All attributes, those of a tier or a category, or one by its key.

    Raises:
        ConfigError: there is no such tier, category or key.
    """
    found = tuple(entity for entity in ontology().entities if which in ("", entity.key, entity.tier, entity.category))
    if not found:
        raise unknown(
            "tier, category or key of the ontology", which, (*ontology().tiers, *ontology().categories, *ontology().keys)
        )
    return found


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

"""The tables of docs/scaling.md, by what `runtime=auto` decides with; `python tests/training/scaling.py` prints them."""

from collections.abc import Iterator
from functools import partial
from unittest import mock

from kithe.config.compose import compose, instantiate, plain
from kithe.launch.runtime import Auto
from kithe.llm.models import Shape
from kithe.training.memory import GB, States, activations, states

MODELS = ("qwen3-0.6b", "qwen3-4b", "qwen3-8b", "llama3.1-8b", "gemma3-27b")
MACHINES = {"1 x H200": (1, 141), "8 x H100": (8, 80), "4 x 24 GB": (4, 24)}
RANK = 16


def shape(name: str) -> Shape:
    found: Shape = instantiate(plain(compose([f"model={name}"]))["model"]).shape
    return found


def chosen(found: States, devices: int, memory: int) -> str:
    """Where `runtime=auto` puts it, and what that takes of a device."""
    with mock.patch("kithe.launch.runtime.gpus", return_value=devices):
        place = Auto(memory_gb=memory).place(True, found.whole(), devices, partial(found.device, 3))
    if place.strategy != "zero3":
        return f"{place.strategy}, {found.whole() / GB:.0f} GB"
    size = found.device(3, devices, place.offload) / GB
    host = f" and {found.host(3, devices) / GB:.0f} GB on the host" if place.offload else ""
    return f"zero3{' + offload' if place.offload else ''}, {size:.0f} GB{host}"


def needs() -> Iterator[str]:
    yield "| model | parameters | inference | full, whole | full, ZeRO-3 over 8 | LoRA r=16, whole | LoRA r=16, ZeRO-3 over 4 |"
    yield "|---|---|---|---|---|---|---|"
    for name in MODELS:
        full, lora = states(shape(name), bf16=True), states(shape(name), bf16=True, rank=RANK)
        sizes = (2 * full.learnt, full.whole(), full.device(3, 8), lora.whole(), lora.device(3, 4))
        cells = " | ".join(f"{size / GB:.1f} GB" for size in sizes)
        yield f"| {name} | {full.learnt / GB:.2f} B (LoRA {lora.learnt / 10**6:.0f} M) | {cells} |"


def choices() -> Iterator[str]:
    yield f"| model | learning | {' | '.join(MACHINES)} |"
    yield f"|---|---|{'---|' * len(MACHINES)}"
    for name in MODELS:
        for kind, rank in (("full", None), ("LoRA r=16", RANK)):
            found = states(shape(name), bf16=True, rank=rank)
            yield f"| {name} | {kind} | {' | '.join(chosen(found, *machine) for machine in MACHINES.values())} |"


def kept() -> Iterator[str]:
    yield "| model | activations | with `recompute` |"
    yield "|---|---|---|"
    for name in MODELS:
        sizes = [activations(shape(name), 4 * 1024, 4 * 128, bf16=True, recompute=again) / GB for again in (False, True)]
        yield f"| {name} | {sizes[0]:.1f} GB | {sizes[1]:.1f} GB |"


if __name__ == "__main__":
    for table in (needs, choices, kept):
        print("\n".join(table()), end="\n\n")

"""A run's weights as others use them: a plain folder with a model card, and if asked for merged or as GGUF."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kithe.cell import Cell
from kithe.errors import ConfigError
from kithe.identity import view, without
from kithe.llm.models import Hub, ModelSpec
from kithe.records.base import write_lines
from kithe.store import Store

# A stand-in for the run's own prompts, long enough to show a difference and free of anybody's data.
SAMPLE = "Read the conversation and list what the user reveals.\nA: I grow tomatoes and sing in a choir.\nB: How nice!"
TOLERANCE = 1e-3


@dataclass(frozen=True)
class Release:
    """What was written.

    Attributes:
        files: names in `folder`.
        check: for merged weights, how they compare with base and adapter.
    """

    folder: Path
    files: list[str]
    check: dict[str, float]


def release(store: Store, run: str, target: Path, *, merge: bool = False, gguf: bool = False) -> Release:
    """Write a finished run's weights to a folder.

    Args:
        merge: add an adapter to its base, in fp32.
        gguf: also write `model.gguf`, for models that came as GGUF; what is not merged is merged for it.

    Raises:
        ConfigError: there is no such run, it is not done, it has no weights, or its base did not come as GGUF.
        ArithmeticError: the merged weights give other logits.
    """
    cell = Cell.load(store.run(run).path)
    if not cell.folder.done or cell.identity.weights is None:
        why = "trains nothing, so it has no weights" if cell.identity.weights is None else f"is {cell.folder.state}, not done"
        raise ConfigError(f"run '{run}' {why}; choose a finished run of adapt=lora or adapt=sft")
    source, spec = store.weights(cell.identity.weights).path / "weights", cell.build("model")
    adapter = not cell.adapter.trains_base
    if target.exists() and any(target.iterdir()):
        raise ConfigError(f"{target} is not empty; name another folder with --to, or remove it")
    if gguf:
        from kithe.training.gguf_file import template

        template(spec)
    shutil.copytree(source, target, dirs_exist_ok=True)
    check: dict[str, float] = {}
    if adapter and (merge or gguf):
        check = _merge(cell, spec, source, target)
    elif adapter:
        _name_base(target / "adapter_config.json", spec)
    if gguf:
        from kithe.training.gguf_file import write

        write(spec, target, target / "model.gguf")
    write_lines(target / "README.md", card(cell, spec, store.run(run).read("result.json"), check, merged=bool(check)))
    return Release(target, sorted(path.name for path in target.iterdir()), check)


def _merge(cell: Cell, spec: ModelSpec, source: Path, target: Path) -> dict[str, float]:
    """Replace the adapter in the target folder by merged weights; they are added in fp32, where little is rounded away."""
    import torch

    from kithe.llm.folders import load_folder

    model, tokenizer = cell.adapter.load(spec, source, "fp32"), spec.tokenizer()
    ids = torch.tensor([tokenizer(SAMPLE)["input_ids"]])
    with torch.no_grad():
        before = model(input_ids=ids, use_cache=False).logits[0]
    for name in ("adapter_model.safetensors", "adapter_config.json"):
        (target / name).unlink()
    model.merge_and_unload().save_pretrained(target)
    with torch.no_grad():
        after = load_folder(target, "fp32")(input_ids=ids, use_cache=False).logits[0]
    check = {
        "largest_difference": float((before - after).abs().max()),
        "same_next_token": float((before.argmax(-1) == after.argmax(-1)).float().mean()),
    }
    if not check["largest_difference"] <= TOLERANCE * float(before.abs().max()):
        raise ArithmeticError(f"the merged weights give other logits than base and adapter: {check}")
    return check


def _name_base(file: Path, spec: ModelSpec) -> None:
    """Have an adapter name its base as others know it, not by a folder of this machine."""
    config = json.loads(file.read_text(encoding="utf-8"))
    config |= {"base_model_name_or_path": base_name(spec)}
    write_lines(file, [json.dumps(config, indent=2, sort_keys=True)])


def base_name(spec: ModelSpec) -> str:
    """What the model is called where others get it."""
    return spec.repo if isinstance(spec, Hub) else spec.name


def card(cell: Cell, spec: ModelSpec, result: Mapping[str, Any], check: Mapping[str, float], *, merged: bool) -> list[str]:
    """The model card, in lines: what it is, what it learnt from, what it scored, and how to load it."""
    learnt, corpus = result["provenance"]["training"], result["provenance"]["corpus"]
    plain = merged or cell.adapter.trains_base
    kind = "full fine-tuning" if cell.adapter.trains_base else f"low-rank adapter{', merged into its base' if merged else ''}"
    scripted = " (scripted: written by a program, not by people or a model)" if corpus["scripted"] else ""
    base = base_name(spec)
    lines = [
        "---",
        f"base_model: {base}",
        f"library_name: {'transformers' if plain else 'peft'}",
        "pipeline_tag: text-generation",
        "tags: [kithe, personal-knowledge]",
        "---",
        f"# {result['run_id']}",
        "",
        f"{kind[0].upper()}{kind[1:]} of {base}, made by kithe.",
        "It says what a person reveals in a conversation.",
        "",
        f"- Learnt from: {corpus['facts']} facts of {corpus['source']}{scripted}, in {learnt['examples']} examples, "
        f"{learnt['supervised_tokens']} supervised tokens, {learnt['steps']} steps",
        f"- Choices: {', '.join(f'{key}={value}' for key, value in result['cell'].items())}",
        f"- Trained weights and written ones differ in logits by {learnt['logits_check']:.2g}",
    ]
    if check:
        lines.append(
            f"- Merged in fp32: logits differ from base and adapter by at most {check['largest_difference']:.2g}; the next token "
            f"is the same at {check['same_next_token']:.1%} of the positions of a sample"
        )
    lines += ["", "## Results", "", "| metric | value | 95 % interval | n |", "|---|---|---|---|"]
    lines += [_metric(name, metric) for name, metric in sorted(result["metrics"].items())]
    lines += ["", "## Use", "", "```python", *_use(base, plain), "```"]
    lines += ["", "## Config", "", "```json", json.dumps(_shown(cell.config), indent=1, sort_keys=True), "```"]
    return lines


def _metric(name: str, metric: Mapping[str, Any]) -> str:
    low, high = metric.get("low"), metric.get("high")
    interval = f"{low:.3f} to {high:.3f}" if low is not None and high is not None else "–"
    return f"| {name} | {metric['value']:.3f} | {interval} | {metric.get('n', '–')} |"


def _use(base: str, plain: bool) -> list[str]:
    first = "from transformers import AutoModelForCausalLM, AutoTokenizer"
    last = 'tokenizer = AutoTokenizer.from_pretrained("this-folder")'
    if plain:
        return [first, 'model = AutoModelForCausalLM.from_pretrained("this-folder")', last]
    load = f'model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained("{base}"), "this-folder")'
    return ["from peft import PeftModel", first, load, last]


def _shown(config: Mapping[str, Any]) -> dict[str, Any]:
    """What the weights depend on; paths and devices are nobody else's business."""
    return without(view(config, "weights", reads=True), "model.path")

"""Writing what was learnt, and proof that others read it as it was."""

import gc
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor, nn

from kithe.llm.chat import Encoded
from kithe.llm.folders import quiet
from kithe.llm.models import ModelSpec
from kithe.training.adapters import Trainable

if TYPE_CHECKING:
    from peft import PeftModel
    from pytorch_lightning import Trainer
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

TOLERANCE: Final = {"fp32": 1e-4, "bf16": 5e-2}


def export(
    adapter: Trainable,
    model: "PreTrainedModel | PeftModel",
    tokenizer: "PreTrainedTokenizerBase",
    folder: Path,
    *,
    spec: ModelSpec,
    precision: str,
    example: Encoded,
) -> float:
    """Write the trained model to `folder`, whole or not at all, and compare logits after loading it again.

    Returns:
        the largest absolute difference of logits on `example` between the trained model and the loaded one.

    Raises:
        ArithmeticError: the difference is above `TOLERANCE`.
    """
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    if adapter.trains_base and precision == "bf16":
        for parameter in model.parameters():  # not the buffers: rotary frequencies stay in fp32, as in a loaded model
            parameter.data = parameter.data.to(torch.bfloat16)
    with quiet():
        adapter.export(model, part)
        tokenizer.save_pretrained(part)
        loaded = adapter.load(spec, part, precision)
    difference = float((_logits(model, example) - _logits(loaded, example)).abs().max())
    if not difference <= TOLERANCE[precision]:
        raise ArithmeticError(f"the exported weights give other logits than the trained ones (largest difference {difference:g})")
    shutil.rmtree(folder, ignore_errors=True)
    os.replace(part, folder)
    return difference


def gather(model: nn.Module, keep: bool) -> dict[str, Tensor]:
    """The learnt parameters of a model that DeepSpeed has cast and perhaps divided among the ranks: fp32 masters, on the CPU.

    Every rank must call it; those that do not `keep` get nothing. Only one parameter at a time is whole on a device.
    """
    from deepspeed.utils import safe_get_full_fp32_param

    found: dict[str, Tensor] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            whole = safe_get_full_fp32_param(parameter)
            if keep:
                found[name] = whole.detach().cpu().clone()
    return found


def release(trainer: "Trainer") -> None:
    """Give back what DeepSpeed holds on the device, for the stages that follow in the same process."""
    trainer.strategy.model.destroy()  # type: ignore[union-attr, operator]
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


@torch.no_grad()
def _logits(model: nn.Module, example: Encoded) -> Tensor:
    """Logits of one example, [length, vocabulary], in fp32 on the CPU, from where the model is."""
    model.eval()
    ids = torch.tensor([example.ids], device=next(model.parameters()).device)
    logits: Tensor = model(input_ids=ids, use_cache=False).logits
    return logits[0].float().cpu()

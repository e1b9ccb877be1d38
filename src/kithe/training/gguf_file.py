"""A fine-tuned model as a GGUF file, for models that came as one: its metadata and tokenizer, with the new weights.

There is no maintained converter among Python packages; the one of llama.cpp is a script of its repository. What came as GGUF
needs none: every tensor goes back to where it was read from.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kithe.errors import ConfigError
from kithe.llm.models import ModelSpec, PackagedGGUF

if TYPE_CHECKING:
    import numpy as np


def template(spec: ModelSpec) -> Path:
    """The GGUF file the model came as.

    Raises:
        ConfigError: it came otherwise, or is of a family whose tensors are stored in an order unknown here.
    """
    if not isinstance(spec, PackagedGGUF) or spec.shape.family != "llama":
        raise ConfigError(
            f"model={spec.name} did not come as a Llama GGUF, so there is nothing to take a GGUF's metadata from; export it with "
            "--merge and convert the folder with convert_hf_to_gguf.py of llama.cpp"
        )
    return spec.source() / spec.file


def write(spec: ModelSpec, folder: Path, target: Path) -> None:
    """Write the weights of a plain model folder as GGUF, matrices in fp16 and the rest in fp32.

    Raises:
        ConfigError: see `template`.
        KeyError: the folder lacks a weight that the file the model came as has.
    """
    import gguf
    from safetensors.torch import load_file

    came = gguf.GGUFReader(template(spec))
    files = [load_file(file) for file in folder.glob("model*.safetensors")]
    weights = {name: value.float().numpy() for file in files for name, value in file.items()}
    writer = gguf.GGUFWriter(target, str(came.fields["general.architecture"].contents()))
    for name, field in came.fields.items():
        if not name.startswith("GGUF.") and name != "general.architecture":
            _copy(writer, name, field)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    assert isinstance(spec, PackagedGGUF)
    for tensor in came.tensors:
        array = stored(tensor.name, weights, spec.shape.heads, spec.shape.kv_heads)
        writer.add_tensor(tensor.name, array.astype("float16" if array.ndim == 2 else "float32"))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _copy(writer: Any, name: str, field: Any) -> None:
    import gguf

    if name in ("general.file_type", "general.quantization_version"):
        return
    kind = field.types[0]
    part = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
    writer.add_key_value(name, field.contents(), kind, part)


# By llama.cpp's name of a block's tensor, transformers' name.
BLOCK = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
WHOLE = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}


def stored(name: str, weights: "dict[str, np.ndarray[Any, Any]]", heads: int, kv_heads: int) -> "np.ndarray[Any, Any]":
    """The weight that llama.cpp calls `name`; queries' and keys' rows pair neighbours, where transformers pairs halves."""
    block = re.fullmatch(r"blk\.(\d+)\.(\w+)\.weight", name)
    if block is None:
        return weights[f"{WHOLE[name.removesuffix('.weight')]}.weight"]
    layer, part = block.groups()
    array = weights[f"model.layers.{layer}.{BLOCK[part]}.weight"]
    if part not in ("attn_q", "attn_k"):
        return array
    groups = heads if part == "attn_q" else kv_heads
    rows, columns = array.shape
    return array.reshape(groups, 2, rows // groups // 2, columns).swapaxes(1, 2).reshape(rows, columns)

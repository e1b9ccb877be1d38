"""Model folders: materialised once in the cache for all processes, loaded from there."""

import logging
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kithe.errors import unknown

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_LOG = logging.getLogger(__name__)
_DTYPES: Final = {"fp32": "float32", "bf16": "bfloat16", "float32": "float32", "bfloat16": "bfloat16"}


def cache() -> Path:
    """Where materialised models live: `$KITHE_CACHE`, or else `~/.cache/kithe`."""
    return Path(os.environ.get("KITHE_CACHE", "~/.cache/kithe")).expanduser()


def materialise(key: str, build: Callable[[Path], None]) -> Path:
    """The cache folder `models/<key>`, filled by `build` on the first call of the first of all processes.

    The folder appears whole or not at all; what a killed process left behind is removed by the next one.
    """
    from filelock import FileLock

    target = cache() / "models" / key
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(target.parent / f".{key}.lock"):
        if not target.is_dir():
            for stale in target.parent.glob(f".{key}.part.*"):
                shutil.rmtree(stale)
            _LOG.info("making %s (once)", target)
            part = Path(tempfile.mkdtemp(prefix=f".{key}.part.", dir=target.parent))
            with quiet(), redirect_stderr(StringIO()):  # the converter's own progress bar cannot be switched off
                build(part)
            part.chmod(0o755)
            os.replace(part, target)
    return target


@contextmanager
def quiet() -> Iterator[None]:
    """Without transformers' progress bars and warnings."""
    from transformers.utils import logging as transformers_logging

    level, bars = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        transformers_logging.set_verbosity(level)
        if bars:
            transformers_logging.enable_progress_bar()


def load_folder(folder: Path, dtype: str) -> "PreTrainedModel":
    """A causal language model from a folder of safetensors, in evaluation mode.

    Raises:
        ConfigError: `dtype` is neither `fp32` nor `bf16`.
    """
    if dtype not in _DTYPES:
        raise unknown("precision", dtype, ("fp32", "bf16"))
    import torch
    from transformers import AutoModelForCausalLM

    with quiet():
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, _DTYPES[dtype]), use_safetensors=True)
    model.eval()
    return model


def load_tokenizer(folder: Path) -> "PreTrainedTokenizerBase":
    """The tokenizer in a folder, padding on the left. Padding is told by masks, never by ids, so eos may stand in for pad."""
    from transformers import AutoTokenizer

    with quiet():
        tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder, padding_side="left")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer

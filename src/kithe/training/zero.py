"""ZeRO (Rajbhandari et al. 2020) by DeepSpeed under Lightning: weights, gradients and optimiser state divided among processes.

DeepSpeed is imported only where one of its strategies is asked for. On CPUs, which Lightning refuses by itself, it runs over
gloo: the same division of the same numbers, for clusters without GPUs and for tests.
"""

import argparse
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from typing import Any

from lightning_fabric.utilities.seed import reset_seed
from pytorch_lightning.strategies import DeepSpeedStrategy
from torch import nn


def settings(stage: int, micro_batch: int, offload: bool) -> dict[str, Any]:
    """DeepSpeed's configuration, but for what Lightning adds from the trainer: accumulation, clipping and precision.

    Args:
        stage: 2 or 3.
        micro_batch: examples in memory at once; DeepSpeed only reports with it.
        offload: keep the optimiser's state, and in stage 3 the weights, on the host.
    """
    where = {"device": "cpu", "pin_memory": False}
    away = {"offload_optimizer": where, **({"offload_param": where} if stage == 3 else {})} if offload else {}
    return {
        "train_micro_batch_size_per_gpu": micro_batch,
        "zero_allow_untested_optimizer": True,  # torch's AdamW, as everywhere
        "zero_force_ds_cpu_optimizer": False,
        "zero_optimization": {"stage": stage, "contiguous_gradients": True, "overlap_comm": not offload, **away},
    }


class Zero(DeepSpeedStrategy):
    """Lightning's strategy with our settings; on CPUs where `cpu` is said."""

    def __init__(self, stage: int, micro_batch: int, *, offload: bool, cpu: bool, timeout: timedelta) -> None:
        if cpu:
            os.environ.setdefault("DS_ACCELERATOR", "cpu")  # read when deepspeed is first imported
        super().__init__(
            config=settings(stage, micro_batch, offload),
            process_group_backend="gloo" if cpu else None,
            timeout=timeout,
            # Stage 3 cannot load what was saved without them.
            exclude_frozen_parameters=stage == 2,
        )
        self._cpu = cpu

    def setup_environment(self) -> None:
        """Also where there is no GPU."""
        if not self._cpu:
            super().setup_environment()
            return
        import deepspeed

        deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False  # compiling it takes more than a minute
        super(DeepSpeedStrategy, self).setup_environment()

    def setup_distributed(self) -> None:
        """Join the process group; a CPU has no index to check."""
        if not self._cpu:
            super().setup_distributed()
            return
        reset_seed()
        self.set_world_ranks()
        self._init_deepspeed_distributed()

    def model_sharded_context(self) -> AbstractContextManager[None]:  # type: ignore[override]
        """Nothing: `divided_loading` divides a model while it is loaded, and adapters must be initialised whole."""
        return nullcontext()

    def _setup_model_and_optimizer(self, model: nn.Module, optimizer: Any, lr_scheduler: Any = None) -> Any:
        if not self._cpu:
            return super()._setup_model_and_optimizer(model, optimizer, lr_scheduler)
        import deepspeed

        learnt = [parameter for parameter in model.parameters() if parameter.requires_grad]
        engine, wrapped, _, _ = deepspeed.initialize(
            args=argparse.Namespace(),  # Lightning gives the CPU's index here, None, which DeepSpeed compares with 0
            config=self.config,
            model=model,
            model_parameters=learnt,
            optimizer=optimizer,
            lr_scheduler=lr_scheduler,
            dist_init_required=False,
        )
        return engine, wrapped


@contextmanager
def divided_loading(strategy: DeepSpeedStrategy) -> Iterator[None]:
    """In this context transformers divides a model among the processes while it loads it; none needs to hold all of it."""
    from transformers.integrations.deepspeed import HfDeepSpeedConfig, unset_hf_deepspeed_config

    strategy._init_config_if_needed()
    held = HfDeepSpeedConfig(strategy.config)
    try:
        yield
    finally:
        unset_hf_deepspeed_config()
        del held

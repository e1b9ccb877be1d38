"""Run experiments: `python run.py data=synthetic adapt=lora`, `python run.py -m data=synthetic,real adapt=zero-shot,lora,sft`."""

import sys

import hydra
from omegaconf import DictConfig

from kithe.cell import replayed
from kithe.config import compose as configuration
from kithe.config.sweeping import within_sweeps
from kithe.errors import one_line_errors
from kithe.launch import local

STOPPED = "stopped; the same command goes on where it was"


@hydra.main(version_base="1.3", config_path="conf", config_name="config")
def main(config: DictConfig) -> None:
    """One cell; a multirun comes here through the launcher instead."""
    with one_line_errors(STOPPED), configuration.explained(sys.argv[1:]):
        local.single(config)


if __name__ == "__main__":
    configuration.set_environment()
    with one_line_errors(STOPPED), configuration.explained(sys.argv[1:]):
        sys.argv[1:] = within_sweeps(replayed(sys.argv[1:]))
        main()

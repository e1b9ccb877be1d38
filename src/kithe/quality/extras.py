"""Libraries of the extra `quality`, asked for when a metric needs one."""

from importlib import import_module
from typing import Any

from kithe.errors import ConfigError


def need(module: str, metric: str) -> Any:
    """The module.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        return import_module(module)
    except ImportError:
        raise ConfigError(f"{metric} needs the package '{module}': pip install 'kithe[quality]'") from None

"""Rerun the experiments that carry expected numbers and compare: `python -m kithe.reproduce [name ...]`.

`experiments/<name>.expected.json`: {"metrics": {name: {"value", "tolerance"}}, "commit", "date", "command"}.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from kithe.cell import Cell
from kithe.config.compose import ROOT, compose
from kithe.errors import ConfigError, unknown


def expected(names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Experiment -> its expected numbers; all that have any where no name is given.

    Raises:
        ConfigError: a named experiment has none.
    """
    files = {path.name.removesuffix(".expected.json"): path for path in sorted((ROOT / "experiments").glob("*.expected.json"))}
    for name in names:
        if name not in files:
            raise unknown("experiment with expected numbers", name, files)
    return {name: json.loads(files[name].read_text(encoding="utf-8")) for name in names or files}


def measured(name: str) -> dict[str, Any]:
    """The metrics of an experiment, run now where they are missing."""
    overrides = [f"experiments={name}"]
    code = subprocess.run([sys.executable, str(ROOT / "run.py"), *overrides], check=False).returncode
    if code:
        raise ConfigError(f"experiments={name} failed; see above")
    result: dict[str, Any] = Cell.of(compose(overrides)).folder.read("result.json")["metrics"]
    return result


def compare(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """A line per metric that is missing or further from its expected value than the tolerance."""
    lines = []
    for name, target in wanted.items():
        value = found[name]["value"] if name in found else None
        if value is None or abs(value - target["value"]) > target["tolerance"]:
            lines.append(f"{name}: expected {target['value']} ± {target['tolerance']}, measured {value}")
    return lines


def main() -> None:
    """Compare, print a line per experiment, and exit with 1 if a number moved."""
    try:
        wanted = expected(sys.argv[1:])
        if not wanted:
            raise ConfigError(f"no experiments/*.expected.json in {ROOT}: nothing to compare with")
        wrong = {name: compare(target["metrics"], measured(name)) for name, target in wanted.items()}
    except ConfigError as error:
        raise SystemExit(f"kithe: {error}") from None
    for name, lines in wrong.items():
        sys.stdout.write(f"{name}: {'as expected' if not lines else '; '.join(lines)}\n")
    if any(wrong.values()):
        raise SystemExit(1)


if __name__ == "__main__":
    main()

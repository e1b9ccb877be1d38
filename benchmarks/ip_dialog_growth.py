"""What a further attribute of IP-Dialog costs: `python -m benchmarks.ip_dialog_growth [--per-task N] [WORDS...]`.

Twelve attributes, then one more at a time, as the data config lists them (default: data=ip_dialog_diet_neurodivergence): share of
invalid items, alignment, calls and words for a valid one, and how many pairs of values have items enough. The words go to the
config, so that `data=… data.teacher…` names a language model in the scripted teacher's place.
"""

import argparse
from dataclasses import asdict

from benchmarks.common import write
from kithe.config.compose import instantiate
from kithe.config.origin import value
from kithe.ip_dialog.growth import growth

DATA = "data=ip_dialog_diet_neurodivergence"


def main() -> None:
    """Generate and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--per-task", type=int, default=1079, help="items a task (default: 1079, the published size)")
    parser.add_argument("words", nargs="*", help="as for run.py")
    options = parser.parse_args()
    chosen = [] if any(word.startswith("data=") for word in options.words) else [DATA]
    data = instantiate(value("data", ["task=ip_dialog", "judge=ip_dialog", *chosen, *options.words]))
    rows = [asdict(row) for row in growth(data, options.per_task)]
    for row in rows:
        print(row, flush=True)
    summary = {
        f"{name}_{row['attributes']}": row[name]
        for row in rows
        for name in ("items", "invalid", "passed", "aligned", "calls", "words", "covered", "typical")
    }
    words = " ".join([*(["--per-task", str(options.per_task)] if options.per_task != 1079 else []), *options.words])
    write("ip_dialog_growth", f"python -m benchmarks.ip_dialog_growth {words}".strip(), rows, summary, teacher=data.teacher.name)


if __name__ == "__main__":
    main()

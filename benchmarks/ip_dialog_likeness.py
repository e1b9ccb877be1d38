"""IP-Dialog's generated conversations beside people's: `KITHE_DATA=… python -m benchmarks.ip_dialog_likeness [--corpus FILE]`.

The Turing-style test by machine (can a classifier tell them apart, by words and by meaning, whole conversations held out?), and
how diverse and fluent they are beside LAPS and MSC, at equal numbers of words. Numbers only: no text of any set is written. The
same for people: `kithe annotate NAME --kind turing --from CORPUS laps --annotators …`.
"""

import argparse
import time
from pathlib import Path
from typing import Any, Final

from benchmarks.common import write
from kithe.ip_dialog.corpus import IPDialogData
from kithe.ip_dialog.teacher import Scripted
from kithe.llm.embed import Embedder
from kithe.quality.measure import Entry, Sizes, alone, budgets, draw, realism
from kithe.quality.sources import histories, reference
from kithe.quality.texts import corpus
from kithe.report.corpus import flat

REAL: Final = ("laps", "msc")
SECTIONS: Final = ("table 3", "diversity", "fluency", "realism")
SIZES: Final = Sizes(tokens=20_000, passages=400, utterances=400, histories=1000)


def main() -> None:
    """Measure and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, help="histories by another teacher (.jsonl); default: scripted ones")
    parser.add_argument("--small", action="store_true", help="ten items a task, and few of everything")
    options = parser.parse_args()
    sizes = Sizes(tokens=3000, passages=60, utterances=60, histories=100) if options.small else SIZES
    start = time.process_time()
    scripted = IPDialogData(Scripted(), per_task=10 if options.small else 100, duplicates=None)
    made = histories(options.corpus) if options.corpus else list(scripted.histories("test", 0))
    own = corpus("ip_dialog", made)
    real = [reference(name, 1000).train for name in REAL]
    encoder = Embedder()
    budget, _ = budgets([own, *real], sizes)
    drawn = [draw(each, encoder, None, sizes) for each in (own, *real)]
    entries: list[Entry] = [entry for each in drawn for entry in alone(each, budget, sizes) if entry.section in SECTIONS]
    for other in drawn[1:]:
        entries += realism(drawn[0], other, sizes)
    figures: dict[str, Any] = {
        "_".join(filter(None, (entry.metric, entry.corpus, entry.against))): entry.figure.value for entry in entries
    }
    write(
        "ip_dialog_likeness_small" if options.small else "ip_dialog_likeness",
        f"python -m benchmarks.ip_dialog_likeness{' --small' if options.small else ''}",
        [flat(entry) for entry in entries],
        {**figures, "processor_s": time.process_time() - start},
        conversations={each.name: len(each.histories) for each in (own, *real)},
        teacher="a file" if options.corpus else "scripted",
    )


if __name__ == "__main__":
    main()

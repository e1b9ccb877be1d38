"""The corpus report of the scripted generator beside real people: `KITHE_DATA=… python -m benchmarks.corpus_quality`.

Numbers only: no text of any set is written. `--small` looks at 150 histories of each corpus, in about a minute.
"""

import argparse
import time
from typing import Any

from benchmarks.common import write
from kithe.corpora.synthetic import Synthetic
from kithe.dialogues.scripted import Scripted
from kithe.llm.embed import Embedder
from kithe.personas.taxonomy import taxonomy
from kithe.quality.coverage import Topics
from kithe.quality.measure import Entry, Sizes, measure
from kithe.quality.sources import reference
from kithe.quality.texts import corpus
from kithe.report.corpus import flat

REAL = ("personachat", "laps")
PERSONAS = 2000


def summary(entries: list[Entry], seconds: float, processor: float) -> dict[str, Any]:
    """`<metric>_<corpus>` and `<metric>_<corpus>_<real set>` -> value, and what it took."""
    values = {"_".join(filter(None, (entry.metric, entry.corpus, entry.against))): entry.figure.value for entry in entries}
    return {"wall_s": seconds, "processor_s": processor, **values}


def main() -> None:
    """Measure and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="150 histories of each corpus")
    small = parser.parse_args().small
    most = 150 if small else 5000
    sizes = Sizes(tokens=5000, passages=150, items=200, people=60, utterances=100) if small else Sizes()
    start, processor = time.perf_counter(), time.process_time()
    made = corpus("synthetic", Synthetic(Scripted(), min(PERSONAS, most)).histories("train", 0), most)
    measured = measure(
        [made],
        [reference(name, most) for name in REAL],
        Embedder(),
        Topics.of(taxonomy()),
        sizes,
        lambda name: print(name, flush=True),
    )
    entries = list(measured.entries)
    figures = summary(entries, time.perf_counter() - start, time.process_time() - processor)
    name = "corpus_quality_small" if small else "corpus_quality"
    counts = {"synthetic": len(made.histories), "taxonomy_nodes": len(taxonomy().nodes)}
    write(
        name,
        f"python -m benchmarks.corpus_quality{' --small' if small else ''}",
        [flat(entry) for entry in entries],
        figures,
        counts=counts,
        seed=sizes.seed,
    )


if __name__ == "__main__":
    main()

"""Human conversations with gold facts about one speaker, read from a folder or from their public homes."""

import hashlib
import json
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, reduce
from pathlib import Path

from kithe.corpora.download import fetch
from kithe.corpora.expressed import THRESHOLD, Expressed
from kithe.corpora.overlap import Dialogues
from kithe.corpora.rows import Gold, Row, Wanted, histories, read
from kithe.corpora.sets import CONVERTER, SETS, PublicSet
from kithe.corpora.source import Split
from kithe.errors import ConfigError, at_least, unknown
from kithe.llm.folders import cache
from kithe.records.base import write_lines
from kithe.records.history import History, KnowledgeItem


@dataclass(frozen=True)
class RealSet:
    """One real set (`conf/data/spc.yaml`, and the test sets of `conf/task`).

    Attributes:
        name: laps | msc | personachat | spc_synthetic | casino.
        folder: where `<name>/<split>.jsonl.gz` lies; None: the environment's KITHE_DATA; neither: downloaded from `home`.
        home: base URL of the set's own files; None: its public home (`kithe.corpora.sets`).
        limit: at most so many histories of each split, drawn once, whatever the seed.
        situational: keep facts of the moment, which only LAPS marks (31 % of its facts: time at hand, company, mood). An item
            does not say that it is one.
        unexpressed: keep facts of which people said that the dialogue does not show them (PersonaChat, CaSiNo). In the train
            split they are always kept: there the corpus stage decides, by one rule for every source.
    """

    name: str
    folder: str | None = None
    home: str | None = None
    limit: int | None = None
    situational: bool = True
    unexpressed: bool = False

    def __post_init__(self) -> None:
        """Check name and limit.

        Raises:
            ConfigError: there is no such set, or the limit leaves nothing.
        """
        _ = self._set
        if self.limit is not None:
            at_least(f"{self.name}.limit", self.limit, 1)

    @property
    def fields(self) -> frozenset[str]:
        """Optional fields of every item."""
        return self._set.fields

    @property
    def _set(self) -> PublicSet:
        if self.name not in SETS:
            raise unknown("real set (option 'name' of a RealSet)", self.name, SETS)
        return SETS[self.name]

    def histories(self, split: Split, seed: int) -> Iterator[History]:
        """The split's histories: train in an order drawn from the seed, the others as they lie on disk."""
        found = list(self._read(split).histories)
        if split == "train":
            random.Random(f"{seed}/{self.name}/{split}").shuffle(found)
        yield from found

    def check(self, split: Split) -> None:
        """Look for the file where there is a folder to look in (`Checked.check`); a download is not tried."""
        if self._folder is not None:
            self.path(split)

    def losses(self, split: Split) -> Mapping[str, int]:
        """Facts that are no gold because of `situational` and `unexpressed`."""
        return self._read(split).lost

    def files(self, split: Split) -> dict[str, Path]:
        """The split's file, or those it is converted from where it is downloaded (`FromFiles.files`)."""
        folder = self._folder
        if folder is None:
            return {f"{self.name}/raw/{path.name}": path for path in self._raw(split)}
        return {f"{self.name}/{split}.jsonl.gz": folder / self.name / f"{split}.jsonl.gz"}

    def _read(self, split: Split) -> "_Read":
        say, wanted = self._set.say, self._wanted(split)
        return _read(self.path(split), self.limit, say, wanted)

    def _wanted(self, split: Split) -> Wanted:
        return Wanted(situational=self.situational, unexpressed=self.unexpressed or split == "train")

    def path(self, split: Split) -> Path:
        """The file with the split's rows, downloaded and converted if need be.

        Raises:
            ConfigError: the folder does not hold it, or it cannot be downloaded.
        """
        folder = self._folder
        if folder is None:
            return self._converted(split)
        path = folder / self.name / f"{split}.jsonl.gz"
        if not path.exists():
            hint = "point KITHE_DATA (or the data source's folder=…) at a folder that holds it, or unset it to download the set"
            raise ConfigError(f"no {path}: {hint}")
        return path

    @property
    def _folder(self) -> Path | None:
        folder = self.folder or os.environ.get("KITHE_DATA")
        return Path(folder).expanduser() if folder else None

    @property
    def _cache(self) -> Path:
        return cache() / "data" / self.name

    def _raw(self, split: Split) -> list[Path]:
        return [self._cache / "raw" / name for name in self._set.home.files[split]]

    def _converted(self, split: Split) -> Path:
        home, raw = self._set.home, self._raw(split)
        base = self.home or home.base
        sums = [fetch(f"{base.rstrip('/')}/{file.name}", file) for file in raw]
        key = hashlib.sha256(json.dumps([CONVERTER, split, sums]).encode()).hexdigest()[:12]
        path = self._cache / f"{split}-{key}.jsonl"
        if not path.exists():
            write_lines(path, (json.dumps({"source": self.name, **row}, ensure_ascii=False) for row in home.convert(raw, split)))
        return path


@dataclass(frozen=True)
class _Read:
    histories: tuple[History, ...]
    lost: Mapping[str, int]


@lru_cache(maxsize=8)
def _read(path: Path, limit: int | None, say: Callable[[Row, Gold], KnowledgeItem], wanted: Wanted) -> _Read:
    """What a file holds; kept, because the corpus stage asks for it more than once."""
    lost: Counter[str] = Counter()
    return _Read(tuple(histories(_drawn(read(path), limit), say, wanted, lost)), lost)


def _drawn(rows: Iterator[Row], limit: int | None) -> list[Row]:
    """At most `limit` rows, those whose ids hash lowest, in their old order: no seed, and no block of the file, decides."""
    found = list(rows)
    if limit is None or limit >= len(found):
        return found
    kept = sorted(found, key=lambda row: hashlib.sha256(row.id.encode()).digest())[:limit]
    ids = {row.id for row in kept}
    return [row for row in found if row.id in ids]


@dataclass(frozen=True)
class Mixture:
    """Several real sets in fixed shares of facts (`conf/data/real.yaml`).

    A dialogue counts once: MSC's first sessions are PersonaChat dialogues, and where two sets hold the same dialogue only the one
    named first in `shares` keeps it.

    Attributes:
        shares: set -> its share of the expressed facts, on any scale. Where a set runs out the others go on.
        name: how results name the corpus.
        folder, situational: as for `RealSet`.
        homes: set -> base URL of its files, where not the public home.
        threshold: from which share of its words a fact counts as expressed, as in the corpus stage.
    """

    shares: Mapping[str, float]
    name: str = "real"
    folder: str | None = None
    situational: bool = True
    homes: Mapping[str, str] | None = None
    threshold: float = THRESHOLD

    def __post_init__(self) -> None:
        wrong = [name for name, share in self.shares.items() if share <= 0]
        if wrong or not self.shares:
            raise ConfigError(
                f"data source '{self.name}': shares={dict(self.shares)} has to name sets, each with a number above 0"
            )

    @property
    def fields(self) -> frozenset[str]:
        """Optional fields that every item of every set carries."""
        return reduce(frozenset.intersection, (part.fields for part in self._parts().values()))

    def histories(self, split: Split, seed: int) -> Iterator[History]:
        """The sets' histories, interleaved so that at any time each set's facts are as near to its share as can be."""
        rule = Expressed(self.threshold)
        pools = {name: iter(pool) for name, pool in self._pools(split, seed, Counter()).items()}
        taken = dict.fromkeys(pools, 0.0)
        while pools:
            name = min(pools, key=lambda name: (taken[name] / self.shares[name], list(self.shares).index(name)))
            history = next(pools[name], None)
            if history is None:
                del pools[name]
            else:
                taken[name] += sum(rule.kept(history, item) is not None for item in history.items)
                yield history

    def check(self, split: Split) -> None:
        """Look for the files of every set (`Checked.check`)."""
        for part in self._parts().values():
            part.check(split)

    def files(self, split: Split) -> dict[str, Path]:
        """The files of every set (`FromFiles.files`)."""
        return {name: path for part in self._parts().values() for name, path in part.files(split).items()}

    def losses(self, split: Split) -> Mapping[str, int]:
        """What the sets left out, and the histories whose dialogue an earlier set holds."""
        lost = Counter[str]()
        self._pools(split, 0, lost)
        for part in self._parts().values():
            lost.update(part.losses(split))
        return lost

    def _parts(self) -> dict[str, RealSet]:
        homes = self.homes or {}
        return {name: RealSet(name, self.folder, homes.get(name), situational=self.situational) for name in self.shares}

    def _pools(self, split: Split, seed: int, lost: Counter[str]) -> dict[str, list[History]]:
        earlier = Dialogues()
        pools = {}
        for name, part in self._parts().items():
            found = list(part.histories(split, seed))
            pools[name] = [history for history in found if not earlier.holds(history)]
            lost["histories of a dialogue that an earlier set holds"] += len(found) - len(pools[name])
            earlier.add(pools[name])
        return pools

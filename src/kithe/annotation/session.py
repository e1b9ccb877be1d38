"""`kithe annotate`: open a package's folder, bring labels in or out, or serve it.

<store>/annotation/<name>/  package.jsonl  labels.db  people.json  secret  links.txt
"""

import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from kithe.annotation import blind, label_studio
from kithe.annotation import package as packages
from kithe.annotation.book import Book
from kithe.annotation.desk import Desk
from kithe.annotation.exchange import as_judged, export, load, news
from kithe.annotation.figures import results
from kithe.annotation.from_run import Sample, from_run, verdicts
from kithe.annotation.package import KINDS, Kind, Package
from kithe.annotation.people import People, gather
from kithe.errors import ConfigError, unknown
from kithe.evaluation.judging.validation import ADJUDICATOR
from kithe.evaluation.judging.validation import Label as Judgement
from kithe.evaluation.judging.verdicts import Verdict

HOST: Final = "127.0.0.1"
_LISTED: Final = 12


@dataclass(frozen=True)
class Made:
    """What a package is made from.

    Attributes:
        what: a run, or the name of a package made from files.
        kind: what is asked.
        files: what it is made from; of `turing` two corpora, the machine's first.
        sample: how much is taken.
    """

    what: str
    kind: Kind = "items"
    files: tuple[str, ...] = ()
    sample: Sample = field(default_factory=Sample)


def opened(store: Path, made: Made, ready: Path | None = None) -> Desk:
    """The desk of a package that is there already, or is made now; without people yet.

    Args:
        store: the root of all results.
        made: what it is made from.
        ready: a file that is a package.

    Raises:
        ConfigError: the package cannot be made, or another one of this name is there.
    """
    fresh = packages.read(ready) if ready else None
    name = fresh.header.name if fresh else f"{made.what}-user" if made.kind == "user" and not made.files else made.what
    if not name:
        raise ConfigError("annotate what? name a run, a package, or a file of one: kithe annotate RUN --annotators ada,grace")
    if Path(name).name != name:
        raise ConfigError(f"package name {name!r}: it names a folder, so without '/'")
    folder = store / "annotation" / name
    file = folder / "package.jsonl"
    if not file.exists():
        packages.write(file, fresh or built(store, made))
    package = packages.read(file)
    if fresh and fresh.digest != package.digest:
        raise ConfigError(f"{folder} holds another package of the name '{name}'; give the new one another name")
    if made.files and package.header.kind != made.kind:
        raise ConfigError(f"{folder} holds a package of kind '{package.header.kind}'; give the new one another name")
    return Desk(package, gather(folder, []), Book(folder / "labels.db"))


def built(store: Path, made: Made) -> Package:
    """The package that is asked for.

    Raises:
        ConfigError: what it is to be made from is missing or wrong.
    """
    if made.kind not in KINDS:
        raise unknown("kind of package", made.kind, KINDS)
    if made.kind in ("items", "user"):
        return from_run(store, made.what, made.kind, made.sample)
    wanted = 2 if made.kind == "turing" else 1
    if len(made.files) != wanted:
        needs = "two corpora, the machine's and people's" if wanted == 2 else "one file"
        raise ConfigError(f"--kind {made.kind} needs --from with {needs}; given: {', '.join(made.files) or 'none'}")
    first, count, seed = made.files[0], made.sample.items, made.sample.seed
    builders: Mapping[str, Callable[[], Package]] = {
        "turing": lambda: blind.turing(made.what, first, made.files[-1], store, count, seed),
        "noise": lambda: blind.noise(made.what, Path(first), count, seed),
        "follow-up": lambda: blind.follow_up(made.what, Path(first), count, seed),
        "review": lambda: blind.review(made.what, Path(first)),
    }
    return builders[made.kind]()


def with_people(desk: Desk, folder: Path, annotators: Sequence[str]) -> Desk:
    """The desk with its annotators: those named, those of earlier times, or in user validation the users themselves.

    Raises:
        ConfigError: nobody is named.
    """
    if desk.package.header.kind == "user":
        if annotators:
            raise ConfigError("--annotators: in user validation the users themselves answer; leave it out")
        return Desk(desk.package, gather(folder, desk.package.users), desk.book)
    people = gather(folder, annotators)
    if not people.names:
        raise ConfigError("who answers? name the annotators, two or more to measure agreement: --annotators ada,grace")
    return Desk(desk.package, people, desk.book)


def bring_in(desk: Desk, path: Path) -> list[str]:
    """Take labels from a file, `.json` of Label Studio or JSON lines; says what came and what did not.

    Raises:
        ConfigError: the file cannot be read at all.
    """
    arrived = (label_studio.load if path.suffix == ".json" else load)(path, desk.package)
    new = news(arrived, desk.book.labels())
    desk.book.add(new)
    known = len(arrived.labels) - len(new)
    return [f"{len(new)} labels taken in" + (f", {known} known already" if known else ""), *arrived.problems]


def take_out(desk: Desk, path: Path) -> str:
    """Write labels to a file, `.json` for Label Studio or JSON lines."""
    count = (label_studio.export if path.suffix == ".json" else export)(path, desk.package, desk.book.labels())
    return f"{count} lines in {path}" if path.suffix != ".json" else f"{count} labels in {path}"


def judged(store: Path, desk: Desk) -> list[Verdict]:
    """What the judge of the package's run said, where there is one."""
    source = desk.package.header.source.removeprefix("run ")
    return verdicts(store, source) if desk.package.header.kind == "items" else []


def labels_of(store: Path, run: str) -> list[Judgement]:
    """What people say of a run's items, the adjudicator included; nothing where nobody was asked."""
    folder = store / "annotation" / run
    if not (folder / "labels.db").exists():
        return []
    known = packages.read(folder / "package.jsonl").by_id
    book = Book(folder / "labels.db")
    found = as_judged([label for label in book.labels() if label.task in known])
    book.close()
    return found


def told(store: Path, desk: Desk) -> list[str]:
    """The results as lines of text."""
    found = []
    for section in results(desk.package, desk.book.labels(), judged(store, desk)):
        found.append(section.title)
        for row in section.rows:
            metric = row.metric
            figure = f"{metric['value']:.3f} [{metric['low']:.3f}, {metric['high']:.3f}]"
            found.append(f"  {row.name:<36} {figure}  n = {metric['n']}")
        found += [f"  {note}" for note in section.notes]
    return found


def links(people: People, port: int) -> list[str]:
    """Everybody's address, the adjudicator's last."""
    everybody = [*people.names, ADJUDICATOR]
    width = max(map(len, everybody))
    return [f"{name:<{width}}  http://{HOST}:{port}/enter/{people.token(name)}" for name in everybody]


def listen(port: int) -> socket.socket:
    """A socket on this host only.

    Raises:
        ConfigError: the port is taken or cannot be had.
    """
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((HOST, port))
        found.listen(128)
    except (OSError, OverflowError) as error:
        found.close()
        raise ConfigError(
            f"--port {port}: {HOST}:{port} cannot be used ({error}); another one, or --port 0 for any that is free"
        ) from None
    return found


def serve(desk: Desk, folder: Path, port: int, said: Sequence[Verdict] = ()) -> None:
    """Serve until interrupted; prints everybody's link, and keeps all of them in `links.txt` for its owner only.

    Raises:
        ConfigError: the port is taken, or the extra `annotate` is not installed.
    """
    try:
        import uvicorn

        from kithe.annotation.app import Site
        from kithe.annotation.pages import environment

        environment()
    except ImportError as error:
        raise ConfigError(f"{error.name} is not installed; fix: pip install 'kithe[annotate]'") from None
    site = Site(desk, said)
    with listen(port) as found:
        everybody = links(desk.people, found.getsockname()[1])
        private(folder / "links.txt", everybody)
        header = desk.package.header
        sys.stdout.write(f"{header.title or header.name}: {len(desk.package.tasks)} tasks ({header.kind}), labels in {folder}\n")
        shown = (
            everybody if len(everybody) <= _LISTED else [f"{len(everybody) - 1} links in {folder / 'links.txt'}", everybody[-1]]
        )
        sys.stdout.write("".join(f"  {line}\n" for line in shown))
        sys.stdout.write("Ctrl-C ends it; nothing that was answered is lost.\n")
        sys.stdout.flush()
        config = uvicorn.Config(site.app(), access_log=False, log_level="warning", server_header=False, lifespan="off")
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[found])
    desk.book.close()


def private(path: Path, text: Sequence[str]) -> None:
    """Write a file that only its owner can read."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text("".join(f"{line}\n" for line in text), encoding="utf-8")

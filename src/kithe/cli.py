"""`kithe`: what is not an experiment. Experiments are run by `run.py`."""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from kithe.errors import ConfigError, absent, unknown

CHOICE = re.compile(r"invalid choice: '([^']+)' \(choose from (.+)\)")
WORD = re.compile(r"[\w.-]+")


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the `kithe` command."""
    options, rest = parser().parse_known_args(arguments)
    # Overrides may stand behind a flag: `kithe show config adapt --why adapt=lora`.
    if rest and (not hasattr(options, "overrides") or any(word.startswith("-") for word in rest)):
        parser().error(f"unrecognized arguments: {' '.join(rest)}")
    options.overrides = [*getattr(options, "overrides", []), *rest]
    try:
        options.verb(options)
    except ConfigError as error:
        raise SystemExit(f"kithe: {error}") from None
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Words(argparse.ArgumentParser):
    """A parser whose errors are one line, and which knows what a mistyped word was meant to be."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong; the usage stands in `--help`."""
        if found := CHOICE.search(message):
            message = str(unknown(f"word after '{self.prog}'", found[1], WORD.findall(found[2])))
        self.exit(2, f"kithe: {message} ({self.prog} --help)\n")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    store = Path(os.environ.get("KITHE_STORE", "outputs"))
    top = Words(prog="kithe", description="Learn what a person reveals in conversation. Experiments: python run.py --help")
    verbs = top.add_subparsers(required=True, metavar="VERB")
    shows = verbs.add_parser("show", help="print a part of the project").add_subparsers(required=True, metavar="WHAT")
    config = shows.add_parser("config", help="a value of the composed config, or all of it")
    config.add_argument("key", nargs="?", default="", help="dotted key, such as adapt.rank")
    config.add_argument("overrides", nargs="*", help="as for run.py: adapt=lora seed=1")
    config.add_argument("--why", action="store_true", help="say which files and words set it; the last one wins")
    config.set_defaults(verb=show_config)
    mask = shows.add_parser("mask", help="a training example's tokens, the learnt ones marked")
    mask.add_argument("overrides", nargs="*", help="as for run.py: data=synthetic adapt=lora")
    mask.add_argument("--example", type=int, default=0, help="which example, from 0")
    mask.set_defaults(verb=show_mask)
    tree = shows.add_parser("taxonomy", help="the tree of interests that personas start from, or what it has on a subject")
    tree.add_argument("words", nargs="*", help="words to look for: kithe show taxonomy green tea")
    tree.add_argument("--depth", type=int, help="go no deeper; top categories have depth 1")
    tree.add_argument("--json", action="store_true", help="a list of {id, name, parent, depth}")
    tree.set_defaults(verb=show_taxonomy)
    attributes = shows.add_parser("ontology", help="what a persona can hold: tiers, categories, attributes")
    attributes.add_argument("which", nargs="?", default="", help="a tier, a category or a key (default: everything)")
    attributes.add_argument("--json", action="store_true", help="as a JSON list")
    attributes.set_defaults(verb=show_ontology)
    dimensions = shows.add_parser("bank", help="what a simulated user is made of: dimensions and their values")
    dimensions.add_argument("which", nargs="?", default="", help="a kind or a dimension (default: everything)")
    dimensions.add_argument("--json", action="store_true", help="as a JSON list")
    dimensions.set_defaults(verb=show_bank)
    verbs.add_parser("doctor", help="check versions, devices, threads, data").set_defaults(verb=doctor)
    build = verbs.add_parser("build", help="train a verifier, if the store does not hold it: the judge's or the filter's")
    build.add_argument("what", choices=("verifier", "filter"), help="judge=verifier, or task/verify=verifier")
    build.add_argument("overrides", nargs="*", help="as for run.py: judge.verifier.course.seed=1")
    build.set_defaults(verb=build_verifier)
    export = verbs.add_parser("export", help="hand a run's weights or a generated corpus on: to a folder, or to a hub")
    export.add_argument("corpus", metavar="what", help="a run's id, or a corpus's id or folder")
    export.add_argument("--to", type=Path, help="a folder to write it to (default for weights: exports/ in the store)")
    export.add_argument("--merge", action="store_true", help="for weights: add an adapter to its base, in fp32")
    export.add_argument("--gguf", action="store_true", help="for weights of a model that came as GGUF: also model.gguf, merged")
    export.add_argument("--push", metavar="REPO", help="send it to this repository of the hub; the token is read from HF_TOKEN")
    export.add_argument("--public", action="store_true", help="a public repository (default: private)")
    export.add_argument("--store", type=Path, default=store, help=f"where runs and corpora lie (default: {store})")
    export.set_defaults(verb=export_corpus)
    audit_arguments(verbs)
    report = verbs.add_parser("report", help="write tables and one page (report.html) from result files, or measure corpora")
    report.add_argument("what", nargs="+", help="a sweep id, run ids, 'corpus' and corpora, or 'ip_dialog' and runs")
    report.add_argument("--store", type=Path, default=store, help=f"where runs lie (default: {store})")
    report.add_argument("--out", type=Path, default=None, help="folder to write to (default: the sweep's own)")
    report.add_argument("--wandb", choices=("offline", "online"), help="also write the runs to Weights & Biases")
    report.add_argument("--dashboard", action="store_true", help="with --wandb online: save a sweep's dashboard there too")
    report.add_argument("--real", default="personachat,laps", help="for corpora: real sets to compare with, or 'none'")
    report.add_argument("--most", type=int, default=5000, help="for corpora: at most so many histories of each (default: 5000)")
    report.set_defaults(verb=write_report)
    annotate_arguments(verbs.add_parser("annotate", help="people's labels: a local web app, and what the labels say"), store)
    scores = verbs.add_parser("score", help="score released answers").add_subparsers(required=True, metavar="WHAT")
    ip_dialog = scores.add_parser("ip_dialog", help="the output files of IP-Dialog's authors")
    ip_dialog.add_argument("--gold", type=Path, required=True, help="the gold items (JSON lines)")
    ip_dialog.add_argument("--predictions", type=Path, required=True, help="the folder that holds a folder per pathway")
    ip_dialog.add_argument("--json", action="store_true", help="print {pathway: {model: {task: {official, corrected, parsed}}}}")
    ip_dialog.set_defaults(verb=score_ip_dialog)
    return top


def annotate_arguments(annotate: argparse.ArgumentParser, store: Path) -> None:
    """The words of `kithe annotate`."""
    annotate.add_argument("what", nargs="?", default="", help="a run, or the name of a package")
    annotate.add_argument("--kind", default="items", help="items, user, turing, noise, follow-up or review (default: items)")
    annotate.add_argument("--from", nargs="+", default=[], dest="files", help="what a package is made from that is of no run")
    annotate.add_argument("--package", type=Path, help="a package that is ready: JSON lines, the header first")
    annotate.add_argument("--annotators", default="", help="who answers, such as ada,grace; remembered")
    annotate.add_argument("--items", type=int, default=200, help="at most so many tasks, drawn at random (default: 200)")
    annotate.add_argument("--users", type=int, default=115, help="for --kind user: at most so many people (default: 115)")
    annotate.add_argument("--seed", type=int, default=0, help="of the draw")
    annotate.add_argument("--port", type=int, default=8700, help="on 127.0.0.1 (default: 8700; 0: any that is free)")
    annotate.add_argument("--import", type=Path, dest="labels", help="take labels in: JSON lines, or .json of Label Studio")
    annotate.add_argument("--export", type=Path, help="write labels: JSON lines, or .json for Label Studio")
    annotate.add_argument("--results", action="store_true", help="print agreement and figures")
    annotate.add_argument("--store", type=Path, default=store, help=f"where runs lie (default: {store})")
    annotate.set_defaults(verb=annotate_package)


def audit_arguments(verbs: "argparse._SubParsersAction[Words]") -> None:
    """`kithe audit`."""
    audit = verbs.add_parser("audit", help="what a judge is worth: kithe audit judge=endpoint judge.client.client.model=NAME")
    audit.add_argument("overrides", nargs="*", help="as for run.py: judge=… with its values, model=… for the same-family warning")
    audit.add_argument("--labels", type=Path, help="people's labels (JSON lines), of a run's items or of the cases")
    audit.add_argument("--run", help="the run whose items the labels are about (default: the cases)")
    audit.add_argument("--challenge", choices=("development", "report", "none"), default="development", help="half of that set")
    audit.add_argument("--limit", type=int, help="the probes take so many of the forty cases (default: all)")
    audit.add_argument("--json", action="store_true", help="print the JSON instead of the page")
    audit.set_defaults(verb=audit_judge)


def show_config(options: argparse.Namespace) -> None:
    """`kithe show config KEY [--why]`."""
    import yaml

    from kithe.config.origin import origins, value

    if "=" in options.key:
        options.key, options.overrides = "", [options.key, *options.overrides]
    found = value(options.key, options.overrides)
    sys.stdout.write(yaml.safe_dump(found, sort_keys=False, allow_unicode=True).removesuffix("...\n"))
    if options.why:
        for origin in origins(options.key, options.overrides):
            sys.stdout.write(f"  {origin}\n")


def show_mask(options: argparse.Namespace) -> None:
    """`kithe show mask`."""
    from kithe.inspection import marked_example

    sys.stdout.write(marked_example(options.overrides, options.example, colour=sys.stdout.isatty()))


def show_taxonomy(options: argparse.Namespace) -> None:
    """`kithe show taxonomy [WORDS...]`."""
    from kithe.personas.outline import listing
    from kithe.personas.taxonomy import taxonomy

    sys.stdout.write(listing(taxonomy(), options.words, options.depth, as_json=options.json))


def show_ontology(options: argparse.Namespace) -> None:
    """`kithe show ontology [TIER | CATEGORY | KEY] [--json]`."""
    from kithe.personas.listing import as_json, as_text, listed

    entities = listed(options.which)
    sys.stdout.write(f"{as_json(entities) if options.json else as_text(entities)}\n")


def show_bank(options: argparse.Namespace) -> None:
    """`kithe show bank [KIND | DIMENSION] [--json]`."""
    from kithe.gym.listing import as_json, as_text, listed

    dimensions = listed(options.which)
    sys.stdout.write(f"{as_json(dimensions) if options.json else as_text(dimensions)}\n")


def doctor(options: argparse.Namespace) -> None:
    """`kithe doctor`; exit status 1 if something is wrong."""
    from kithe.doctor import checks

    found = checks()
    for item in found:
        sys.stdout.write(f"{item.mark} {item.name}: {item.text}\n")
    if any(item.level == "wrong" for item in found):
        raise SystemExit(1)


def build_verifier(options: argparse.Namespace) -> None:
    """`kithe build verifier | filter`; prints where it is, and what it does on validation."""
    from kithe.config.compose import instantiate
    from kithe.config.origin import value
    from kithe.evaluation.verifier.checkpoint import build, summary

    key, chosen = ("judge", "judge=verifier") if options.what == "verifier" else ("task.verify", "task/verify=verifier")
    verifier = instantiate(value(key, [chosen, *options.overrides])).verifier
    sys.stdout.write(summary(build(verifier.course, Path(verifier.store), verifier.folder, progress=True)))


def export_corpus(options: argparse.Namespace) -> None:
    """`kithe export RUN | CORPUS [--to FOLDER] [--push REPO]`."""
    from kithe.generation import hub

    if (options.store / "runs" / options.corpus / "cell.json").exists():
        export_run(options)
        return
    if options.merge or options.gguf:
        raise ConfigError(f"no run '{options.corpus}' in {options.store}; --merge and --gguf are for a run's weights")
    named = options.store / "generated" / options.corpus
    folder = named if named.exists() else Path(options.corpus)
    names = hub.copy(folder, options.to) if options.to else hub.published(folder)
    sys.stdout.writelines(f"{name}\n" for name in names)
    if options.push:
        hub.push(folder, options.push, public=options.public)
        sys.stdout.write(f"{len(names)} files sent to {options.push}\n")


def audit_judge(options: argparse.Namespace) -> None:
    """`kithe audit judge=… [--labels FILE [--run RUN]]`."""
    import json

    from kithe.audited import audited
    from kithe.report.audit_page import page, write

    found, store = audited(options, lambda text: print(f"asking: {text}", file=sys.stderr))
    written = write(found, store)
    sys.stdout.write(json.dumps(found, indent=1) + "\n" if options.json else page(found))
    sys.stderr.writelines(f"{path}\n" for path in written)


def export_run(options: argparse.Namespace) -> None:
    """`kithe export RUN [--to FOLDER] [--merge] [--gguf] [--push REPO]`."""
    from kithe.generation import hub
    from kithe.release import release
    from kithe.store import Store

    target = options.to or options.store / "exports" / options.corpus
    made = release(Store(options.store), options.corpus, target, merge=options.merge, gguf=options.gguf)
    sys.stdout.writelines(f"{made.folder / name}\n" for name in made.files)
    if options.push:
        hub.send(made.folder, made.files, options.push, kind="model", public=options.public)
        sys.stdout.write(f"{len(made.files)} files sent to {options.push}\n")


def write_report(options: argparse.Namespace) -> None:
    """`kithe report SWEEP | RUN... | corpus CORPUS... | ip_dialog SWEEP | RUN...`."""
    if options.what[0] == "corpus":
        report_corpora(options)
        return
    if options.what[0] == "ip_dialog":
        report_ip_dialog(options)
        return
    from kithe.report.build import report
    from kithe.report.results import sweep_runs
    from kithe.report.wandb import Wandb

    folder = options.store / "sweeps" / options.what[0]
    sweep = options.what[0] if len(options.what) == 1 and (folder / "sweep.json").exists() else None
    runs = sweep_runs(options.store, sweep) if sweep else options.what
    missing = [run for run in runs if not (options.store / "runs" / run).exists()]
    if missing and not sweep:
        known = [path.name for kind in ("sweeps", "runs") for path in (options.store / kind).glob("*")]
        raise absent("sweep or run", ", ".join(missing), options.store, known)
    out = options.out or (folder if sweep else options.store / "report")
    report(options.store, sweep or runs, out)
    if options.wandb:
        projector = Wandb(project="kithe", entity=None, mode=options.wandb, dir=str(options.store))
        for run in runs:
            projector.project_run(options.store, run, sweep)
        if sweep:
            projector.project_sweep(options.store, sweep)
        if sweep and options.dashboard:
            sys.stdout.write(f"dashboard: {projector.save_dashboard(options.store, sweep)}\n")


def report_ip_dialog(options: argparse.Namespace) -> None:
    """`kithe report ip_dialog SWEEP | RUN... [--out FOLDER]`."""
    from kithe.report.ip_dialog import write
    from kithe.report.results import sweep_runs

    named = options.what[1:]
    if not named:
        raise ConfigError("kithe report ip_dialog: which runs? name a sweep or runs of task=ip_dialog")
    sweeps = [name for name in named if (options.store / "sweeps" / name / "sweep.json").exists()]
    runs = [run for name in named for run in (sweep_runs(options.store, name) if name in sweeps else [name])]
    folder = options.out or options.store / ("sweeps" if sweeps else "reports") / (sweeps[0] if sweeps else "ip_dialog")
    sys.stdout.writelines(f"{path}\n" for path in write(options.store, runs, folder))


def report_corpora(options: argparse.Namespace) -> None:
    """`kithe report corpus CORPUS... [--real SETS] [--out FOLDER]`."""
    from kithe.report.corpus import report

    if len(options.what) == 1:
        raise ConfigError(
            "kithe report corpus: which one? name ids, folders or files of corpora, such as: kithe report corpus laps"
        )
    real = [] if options.real == "none" else options.real.split(",")
    written = report(
        options.what[1:], real, options.store, options.out, options.most, lambda text: print(f"measuring {text}", file=sys.stderr)
    )
    sys.stdout.writelines(f"{path}\n" for path in written)


def annotate_package(options: argparse.Namespace) -> None:
    """`kithe annotate RUN | NAME [--annotators NAMES] [--import FILE] [--export FILE] [--results]`."""
    from kithe.annotation import people, session
    from kithe.annotation.from_run import Sample

    made = session.Made(options.what, options.kind, tuple(options.files), Sample(options.items, options.users, options.seed))
    annotators = people.names(options.annotators) if options.annotators else []
    desk = session.opened(options.store, made, options.package)
    folder = options.store / "annotation" / desk.package.header.name
    told = session.bring_in(desk, options.labels) if options.labels else []
    told += [session.take_out(desk, options.export)] if options.export else []
    told += session.told(options.store, desk) if options.results else []
    sys.stdout.writelines(f"{line}\n" for line in told)
    if not told:
        session.serve(session.with_people(desk, folder, annotators), folder, options.port, session.judged(options.store, desk))


def score_ip_dialog(options: argparse.Namespace) -> None:
    """`kithe score ip_dialog --gold FILE --predictions FOLDER [--json]`."""
    import json

    from kithe.ip_dialog.meteor import installed
    from kithe.ip_dialog.score import as_json, as_text, score_release

    found = score_release(options.gold, options.predictions)
    if options.json:
        sys.stdout.write(f"{json.dumps(as_json(found), indent=1)}\n")
        if installed().synonyms is None:
            sys.stderr.write(f"METEOR: {installed().label}, not official: WordNet is not installed (Debian: wordnet-base)\n")
    else:
        sys.stdout.write(as_text(found, installed()))


if __name__ == "__main__":
    main()

"""`kithe`: what is not an experiment. Experiments are run by `run.py`."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from kithe.errors import ConfigError


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


def parser() -> argparse.ArgumentParser:
    """The command line."""
    store = Path(os.environ.get("KITHE_STORE", "outputs"))
    top = argparse.ArgumentParser(
        prog="kithe", description="Learn what a person reveals in conversation. Experiments: python run.py --help"
    )
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
    verbs.add_parser("doctor", help="check versions, devices, threads, data").set_defaults(verb=doctor)
    export = verbs.add_parser("export", help="hand a generated corpus on: copy it, or push it to a dataset hub")
    export.add_argument("corpus", help="its id, or its folder")
    export.add_argument("--to", type=Path, help="a folder to copy it to")
    export.add_argument("--push", metavar="REPO", help="send it to this dataset repository; the token is read from HF_TOKEN")
    export.add_argument("--public", action="store_true", help="a public repository (default: private)")
    export.add_argument("--store", type=Path, default=store, help=f"where corpora lie (default: {store})")
    export.set_defaults(verb=export_corpus)
    report = verbs.add_parser("report", help="write tables from result files, or measure corpora")
    report.add_argument("what", nargs="+", help="a sweep id, run ids, or 'corpus' and ids, folders or files of corpora")
    report.add_argument("--store", type=Path, default=store, help=f"where runs lie (default: {store})")
    report.add_argument("--out", type=Path, default=None, help="folder to write to (default: the sweep's own)")
    report.add_argument("--wandb", choices=("offline", "online"), help="also write the runs to Weights & Biases")
    report.add_argument("--dashboard", action="store_true", help="with --wandb online: save a sweep's dashboard there too")
    report.add_argument("--real", default="personachat,laps", help="for corpora: real sets to compare with, or 'none'")
    report.add_argument("--most", type=int, default=5000, help="for corpora: at most so many histories of each (default: 5000)")
    report.set_defaults(verb=write_report)
    scores = verbs.add_parser("score", help="score released answers").add_subparsers(required=True, metavar="WHAT")
    ip_dialog = scores.add_parser("ip_dialog", help="the output files of IP-Dialog's authors")
    ip_dialog.add_argument("--gold", type=Path, required=True, help="the gold items (JSON lines)")
    ip_dialog.add_argument("--predictions", type=Path, required=True, help="the folder that holds a folder per pathway")
    ip_dialog.add_argument("--json", action="store_true", help="print {pathway: {model: {task: {official, corrected, parsed}}}}")
    ip_dialog.set_defaults(verb=score_ip_dialog)
    return top


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
            sys.stdout.write(f"  {origin.place}: {origin.value}\n")


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


def doctor(options: argparse.Namespace) -> None:
    """`kithe doctor`; exit status 1 if something is wrong."""
    from kithe.doctor import checks

    found = checks()
    for item in found:
        sys.stdout.write(f"{item.mark} {item.name}: {item.text}\n")
    if any(item.level == "wrong" for item in found):
        raise SystemExit(1)


def export_corpus(options: argparse.Namespace) -> None:
    """`kithe export CORPUS [--to FOLDER] [--push REPO]`."""
    from kithe.generation import hub

    named = options.store / "generated" / options.corpus
    folder = named if named.exists() else Path(options.corpus)
    names = hub.copy(folder, options.to) if options.to else hub.published(folder)
    sys.stdout.writelines(f"{name}\n" for name in names)
    if options.push:
        hub.push(folder, options.push, public=options.public)
        sys.stdout.write(f"{len(names)} files sent to {options.push}\n")


def write_report(options: argparse.Namespace) -> None:
    """`kithe report SWEEP | RUN... | corpus CORPUS...`."""
    if options.what[0] == "corpus":
        report_corpora(options)
        return
    from kithe.report.build import report, sweep_runs
    from kithe.report.wandb import Wandb

    folder = options.store / "sweeps" / options.what[0]
    sweep = options.what[0] if len(options.what) == 1 and (folder / "sweep.json").exists() else None
    runs = sweep_runs(options.store, sweep) if sweep else options.what
    missing = [run for run in runs if not (options.store / "runs" / run).exists()]
    if missing and not sweep:
        known = sorted(path.name for kind in ("sweeps", "runs") for path in (options.store / kind).glob("*"))
        there = ", ".join(known[:12]) or "nothing"
        raise ConfigError(f"neither a sweep nor a run in {options.store}: {', '.join(missing)}; there: {there}")
    report(options.store, runs, options.out or (folder if sweep else options.store / "report"))
    if options.wandb:
        projector = Wandb(project="kithe", entity=None, mode=options.wandb, dir=str(options.store))
        for run in runs:
            projector.project_run(options.store, run, sweep)
        if sweep:
            projector.project_sweep(options.store, sweep)
        if sweep and options.dashboard:
            sys.stdout.write(f"dashboard: {projector.save_dashboard(options.store, sweep)}\n")


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

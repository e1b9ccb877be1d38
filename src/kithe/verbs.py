"""What each verb of the `kithe` command does. Everything but arguments is imported by the verb that needs it."""

import argparse
import sys
from pathlib import Path

from kithe.errors import ConfigError, absent


def show_config(options: argparse.Namespace) -> None:
    """`kithe show config KEY [--why]`."""
    import yaml

    from kithe.cell import replayed
    from kithe.config.origin import origins, value

    options.overrides = replayed(options.overrides)
    if "=" in options.key:
        options.key, options.overrides = "", [options.key, *options.overrides]
    if options.why and not options.key:
        raise ConfigError("kithe show config --why: it tells where one value comes from; name its key, such as adapt.rank")
    found = value(options.key, options.overrides)
    sys.stdout.write(yaml.safe_dump(found, sort_keys=False, allow_unicode=True).removesuffix("...\n"))
    if options.why:
        for origin in origins(options.key, options.overrides):
            sys.stdout.write(f"  {origin}\n")


def show_mask(options: argparse.Namespace) -> None:
    """`kithe show mask`."""
    from kithe.cell import replayed
    from kithe.inspection import marked_example

    sys.stdout.write(marked_example(replayed(options.overrides), options.example, colour=sys.stdout.isatty()))


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
    if not folder.exists():
        known = [path.name for kind in ("runs", "generated") for path in (options.store / kind).glob("*")]
        raise absent("run or corpus", options.corpus, options.store, known)
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

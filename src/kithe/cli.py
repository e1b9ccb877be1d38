"""`kithe`: what is not an experiment. Experiments are run by `run.py`."""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from kithe import verbs
from kithe.errors import one_line_errors, unknown

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
        with one_line_errors():
            options.verb(options)
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
    kinds = top.add_subparsers(required=True, metavar="VERB")
    shows = kinds.add_parser("show", help="print a part of the project").add_subparsers(required=True, metavar="WHAT")
    config = shows.add_parser("config", help="a value of the composed config, or all of it")
    config.add_argument("key", nargs="?", default="", help="dotted key, such as adapt.rank")
    config.add_argument("overrides", nargs="*", help="as for run.py: adapt=lora seed=1")
    config.add_argument("--why", action="store_true", help="say which files and words set it; the last one wins")
    config.set_defaults(verb=verbs.show_config)
    mask = shows.add_parser("mask", help="a training example's tokens, the learnt ones marked")
    mask.add_argument("overrides", nargs="*", help="as for run.py: data=synthetic adapt=lora")
    mask.add_argument("--example", type=int, default=0, help="which example, from 0")
    mask.set_defaults(verb=verbs.show_mask)
    tree = shows.add_parser("taxonomy", help="the tree of interests that personas start from, or what it has on a subject")
    tree.add_argument("words", nargs="*", help="words to look for: kithe show taxonomy green tea")
    tree.add_argument("--depth", type=int, help="go no deeper; top categories have depth 1")
    tree.add_argument("--json", action="store_true", help="a list of {id, name, parent, depth}")
    tree.set_defaults(verb=verbs.show_taxonomy)
    attributes = shows.add_parser("ontology", help="what a persona can hold: tiers, categories, attributes")
    attributes.add_argument("which", nargs="?", default="", help="a tier, a category or a key (default: everything)")
    attributes.add_argument("--json", action="store_true", help="as a JSON list")
    attributes.set_defaults(verb=verbs.show_ontology)
    dimensions = shows.add_parser("bank", help="what a simulated user is made of: dimensions and their values")
    dimensions.add_argument("which", nargs="?", default="", help="a kind or a dimension (default: everything)")
    dimensions.add_argument("--json", action="store_true", help="as a JSON list")
    dimensions.set_defaults(verb=verbs.show_bank)
    kinds.add_parser("doctor", help="check versions, devices, threads, data").set_defaults(verb=verbs.doctor)
    build = kinds.add_parser("build", help="train a verifier, if the store does not hold it: the judge's or the filter's")
    build.add_argument("what", choices=("verifier", "filter"), help="judge=verifier, or task/verify=verifier")
    build.add_argument("overrides", nargs="*", help="as for run.py: judge.verifier.course.seed=1")
    build.set_defaults(verb=verbs.build_verifier)
    export = kinds.add_parser("export", help="hand a run's weights or a generated corpus on: to a folder, or to a hub")
    export.add_argument("corpus", metavar="what", help="a run's id, or a corpus's id or folder")
    export.add_argument("--to", type=Path, help="a folder to write it to (default for weights: exports/ in the store)")
    export.add_argument("--merge", action="store_true", help="for weights: add an adapter to its base, in fp32")
    export.add_argument("--gguf", action="store_true", help="for weights of a model that came as GGUF: also model.gguf, merged")
    export.add_argument("--push", metavar="REPO", help="send it to this repository of the hub; the token is read from HF_TOKEN")
    export.add_argument("--public", action="store_true", help="a public repository (default: private)")
    export.add_argument("--store", type=Path, default=store, help=f"where runs and corpora lie (default: {store})")
    export.set_defaults(verb=verbs.export_corpus)
    audit_arguments(kinds)
    report = kinds.add_parser("report", help="write tables and one page (report.html) from result files, or measure corpora")
    report.add_argument("what", nargs="+", help="a sweep id, run ids, 'corpus' and corpora, or 'ip_dialog' and runs")
    report.add_argument("--store", type=Path, default=store, help=f"where runs lie (default: {store})")
    report.add_argument("--out", type=Path, default=None, help="folder to write to (default: the sweep's own)")
    report.add_argument("--wandb", choices=("offline", "online"), help="also write the runs to Weights & Biases")
    report.add_argument("--dashboard", action="store_true", help="with --wandb online: save a sweep's dashboard there too")
    report.add_argument("--real", help="for corpora: real sets to compare with, or 'none' (default: personachat,laps)")
    report.add_argument("--most", type=int, help="for corpora: at most so many histories of each (default: 5000)")
    report.set_defaults(verb=verbs.write_report)
    annotate_arguments(kinds.add_parser("annotate", help="people's labels: a local web app, and what the labels say"), store)
    scores = kinds.add_parser("score", help="score released answers").add_subparsers(required=True, metavar="WHAT")
    ip_dialog = scores.add_parser("ip_dialog", help="the output files of IP-Dialog's authors")
    ip_dialog.add_argument("--gold", type=Path, required=True, help="the gold items (JSON lines)")
    ip_dialog.add_argument("--predictions", type=Path, required=True, help="the folder that holds a folder per pathway")
    ip_dialog.add_argument("--json", action="store_true", help="print {pathway: {model: {task: {official, corrected, parsed}}}}")
    ip_dialog.set_defaults(verb=verbs.score_ip_dialog)
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
    annotate.set_defaults(verb=verbs.annotate_package)


def audit_arguments(kinds: "argparse._SubParsersAction[Words]") -> None:
    """`kithe audit`."""
    audit = kinds.add_parser("audit", help="what a judge is worth: kithe audit judge=endpoint judge.client.client.model=NAME")
    audit.add_argument("overrides", nargs="*", help="as for run.py: judge=… with its values, model=… for the same-family warning")
    audit.add_argument("--labels", type=Path, help="people's labels (JSON lines), of a run's items or of the cases")
    audit.add_argument("--run", help="the run whose items the labels are about (default: the cases)")
    audit.add_argument("--challenge", choices=("development", "report", "none"), default="development", help="half of that set")
    audit.add_argument("--limit", type=int, help="the probes take so many of the forty cases (default: all)")
    audit.add_argument("--json", action="store_true", help="print the JSON instead of the page")
    audit.set_defaults(verb=verbs.audit_judge)


if __name__ == "__main__":
    main()

"""What may stand on the command line. argparse, because it starts three times as fast as its rivals."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from dlc.diagnostics import DlcError, did_you_mean, error
from dlc.requests import PRECISIONS

COMMANDS = {
    "check": "read a spec and tell what is wrong with it",
    "summary": "instances, shapes, parameters and costs of a spec's networks",
    "graph": "draw a spec's networks: nested boxes, shapes, loops drawn once",
    "compile": "write code for PyTorch, TensorFlow or ONNX",
    "weights": "draw a network's initial weights into a safetensors file",
    "verify": "prove that all backends compute the same",
    "fmt": "print a spec in its canonical form",
    "explain": "what a diagnostic's code means, an example, how to mend it",
    "ops": "list the primitive operations",
    "schema": "print the JSON schema of YAML specs",
    "completion": "print what a shell needs to complete `dlc`",
}
BACKENDS = ("torch", "tensorflow", "onnx", "reference", "all")
_EPILOG = (
    "Exit code 0: done and agreed; 1: the spec is wrong or backends disagree; 2: wrong usage; 3: a backend failed."
)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise error("E0901", message, hint=f"`{self.prog} --help` tells what it takes", exit_code=2)


def parse(given: Sequence[str]) -> Any | None:
    """The options as an argparse namespace with `command`; None where --help or --version was answered.

    Raises DlcError (E0901) for wrong usage.
    """
    parser = _parser()
    if "_ARGCOMPLETE" in os.environ:
        from dlc.cli.completion import complete

        complete(parser)
    if not given:
        parser.print_help()
        return None
    if not given[0].startswith("-") and given[0] not in COMMANDS:
        hint = did_you_mean(given[0], list(COMMANDS)) or "`dlc --help` lists them"
        raise error("E0901", f"there is no command `{given[0]}`", expected=", ".join(COMMANDS), hint=hint, exit_code=2)
    try:
        options, left = parser.parse_known_args(list(given))
        if left:
            raise _unknown(parser, given[0], left)
        return options
    except SystemExit as end:  # --help, --version
        if end.code:
            raise
        sys.stdout.flush()
        return None


def _unknown(parser: argparse.ArgumentParser, command: str, left: Sequence[str]) -> DlcError:
    """E0901: what the command does not take, with the closest option that it does."""
    subparsers = next(a for a in parser._actions if isinstance(a, argparse._SubParsersAction))  # pyright: ignore
    options = [o for action in subparsers.choices[command]._actions for o in action.option_strings]  # pyright: ignore
    name = left[0].partition("=")[0]
    hint = did_you_mean(name, options) or f"`dlc {command} --help` tells what it takes"
    return error("E0901", f"`dlc {command}` does not take `{left[0]}`", hint=hint, exit_code=2)


def _parser() -> argparse.ArgumentParser:
    description = (
        "Compiles declarative deep-learning specs to PyTorch, TensorFlow and ONNX code, and proves them equal."
    )
    parser = _Parser("dlc", description=description, epilog=_EPILOG)
    parser.add_argument("--version", action=_Version, help="show the version")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    builders = {
        "check": _check,
        "summary": _summary,
        "graph": _graph,
        "compile": _compile,
        "weights": _weights,
        "verify": _verify,
        "fmt": _fmt,
        "explain": _explain,
        "ops": _ops,
        "schema": _schema,
        "completion": _completion,
    }
    for name, help_text in COMMANDS.items():
        builders[name](commands.add_parser(name, help=help_text, description=help_text, allow_abbrev=False))
    return parser


class _Version(argparse.Action):
    def __init__(self, option_strings: Sequence[str], dest: str, **keywords: Any):
        super().__init__(option_strings, dest, nargs=0, help=keywords.get("help"))

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from dlc import __version__

        print(f"dlc {__version__}")
        parser.exit()


def _check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+")
    _choice(parser)
    parser.add_argument("--strict", action="store_true", help="exit code 1 where there are warnings")
    _json(parser)


def _summary(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE")
    _choice(parser)
    parser.add_argument("--depth", type=_count, metavar="D", help="show instances down to D levels")
    parser.add_argument("--expand", action="store_true", help="show every turn of a loop, equal ones too")
    parser.add_argument("--batch", type=_positive, metavar="B", help="batch size of the costs (default 1)")
    _json(parser)


def _graph(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE")
    _choice(parser)
    parser.add_argument("-o", "--output", metavar="F", help="file to write: .svg, .png or .html (default: NETWORK.svg)")
    parser.add_argument("--depth", type=_count, metavar="D", default=2, help="levels of open boxes (default 2)")
    parser.add_argument(
        "--expand", metavar="BLOCK", action="append", default=[], help="open this block everywhere; all: every one"
    )
    parser.add_argument("--turns", action="store_true", help="draw every turn of a loop, equal ones too")


def _compile(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE")
    parser.add_argument(
        "--backend", required=True, metavar="B", help=f"{', '.join(BACKENDS)}, or another installed one"
    )
    _choice(parser)
    parser.add_argument("--precision", choices=PRECISIONS, default="f32", help="width of `float` (default f32)")
    parser.add_argument("-o", "--output", metavar="DIR", default=".", help="folder to write into (default: this one)")
    _optimize(parser)
    parser.add_argument("--no-natives", action="store_true", help="write every layer's own body, no framework layers")
    weights = parser.add_mutually_exclusive_group()
    weights.add_argument("--weights", metavar="W", help="ONNX: take the weights from this safetensors file")
    weights.add_argument("--no-weights", action="store_true", help="ONNX: write no weights file")
    parser.add_argument("--seed", type=_count, metavar="S", help="ONNX: draw new weights from this seed (default 0)")
    _json(parser)


def _weights(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("-o", "--output", metavar="W", help="file to write (default: NETWORK.safetensors)")
    _choice(parser)
    parser.add_argument("--seed", type=_count, metavar="S", default=0, help="draw from this seed (default 0)")
    _json(parser)


def _verify(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+")
    parser.add_argument("--backends", metavar="A,B", help="compare these (default: all that are installed)")
    _choice(parser)
    parser.add_argument("--inputs", metavar="F.npz", help="arrays by input name, in place of made-up ones")
    parser.add_argument("--precision", choices=PRECISIONS, default="f32", help="width of `float` (default f32)")
    parser.add_argument("--seed", type=_count, metavar="S", default=0, help="of weights and inputs (default 0)")
    parser.add_argument("--no-natives", action="store_true", help="write every layer's own body, no framework layers")
    _optimize(parser)
    _json(parser)


def _optimize(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--optimize", action="store_true", help="ONNX: fold batch norms into the weights before them")


def _fmt(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", metavar="FILE", nargs="+")
    parser.add_argument("--check", action="store_true", help="print nothing; exit code 1 if a file would change")
    parser.add_argument("--to", choices=("dl", "yaml"), help="print in this form (default: the file's own)")
    parser.add_argument("--write", action="store_true", help="rewrite the files (YAML with comments is refused)")
    _json(parser)


def _explain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("codes", metavar="CODE", nargs="*", help="for instance E0401 (default: a list of all)")
    _json(parser)


def _ops(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", nargs="?", help="show one operation in full")
    _json(parser)


def _schema(parser: argparse.ArgumentParser) -> None:
    del parser  # it takes nothing


def _completion(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", metavar="SHELL", choices=("bash", "zsh", "fish"), help="bash, zsh or fish")


def _choice(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--network", metavar="N", help="this network only")
    parser.add_argument("--set", dest="settings", metavar="K=V", action="append", default=[], help="a hyperparameter")
    parser.add_argument("--dim", dest="dims", metavar="N=1", action="append", default=[], help="a dimension's size")


def _json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")


def _positive(text: str) -> int:
    if _count(text) == 0:
        raise argparse.ArgumentTypeError(f"`{text}` is no whole number from 1 up")
    return _count(text)


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise argparse.ArgumentTypeError(f"`{text}` is no whole number from 0 up")
    return int(text)

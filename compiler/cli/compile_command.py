"""`dlc compile FILE --backend B`: everything is compiled and checked before anything is written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlc.api import SpecFile, compile_unit, load, parameters_of
from dlc.backends.api import Network, Options
from dlc.cli.choice import choice_of
from dlc.cli.options import BACKENDS
from dlc.diagnostics import error
from dlc.networks import Elaborated
from dlc.output import prepare, record, write_files

if TYPE_CHECKING:
    from dlc.parameters import NetworkParameter

_ALL = tuple(name for name in BACKENDS if name != "all")


def run(options: Any) -> int:
    names = _ALL if options.backend == "all" else (options.backend,)
    _check_usage(options, names)
    choice = choice_of(options)
    file = load(options.file)
    found = file.elaborate(choice)
    files: dict[str, str | bytes] = {}
    for name in names:
        made = compile_unit(found.unit, name, Options(natives=not options.no_natives, precision=options.precision))
        files |= made.files
    drawn = _weights(options, found) if "onnx" in names else {}
    folder = Path(options.output)
    if files:
        prepare(folder, [*files, *drawn], file.path)
    for name, parameters in drawn.items():
        print(_write_weights(folder / name, parameters, options))
    for path in write_files(folder, files, file.path) if files else []:
        print(f"wrote {path}")
    if drawn:
        record(folder, drawn, file.path)
    _say_what_is_left(file, found)
    return 0


def _check_usage(options: Any, names: tuple[str, ...]) -> None:
    """Weights are written for ONNX only; leaving them out, or a seed, is harmless everywhere."""
    if options.weights is not None and "onnx" not in names:
        hint = "generated Python code reads weights when it runs: `load_weights(model, path)`"
        found = f"--backend {options.backend}"
        raise error("E0901", "--weights goes with `--backend onnx`", found=found, hint=hint, exit_code=2)


def _weights(options: Any, found: Elaborated) -> dict[str, tuple[NetworkParameter, ...]]:
    """The weights files that belong beside the ONNX models, by name."""
    networks = found.unit.networks
    if options.weights is not None and len(networks) != 1:
        names = ", ".join(network.name for network in networks)
        message = "--weights holds the weights of one network"
        raise error("E0901", message, found=names, hint="choose one with --network", exit_code=2)
    if options.no_weights:
        return {}
    wanted = {_file_of(network): parameters_of(network) for network in networks}
    if options.weights is not None:
        from dlc.weights import check, read_header

        for parameters in wanted.values():
            check(options.weights, read_header(options.weights), parameters)
    return {name: parameters for name, parameters in wanted.items() if parameters}


def _file_of(network: Network) -> str:
    return f"{network.name}.safetensors"


def _write_weights(path: Path, parameters: tuple[NetworkParameter, ...], options: Any) -> str:
    """Writes one weights file and says so. One that is there already and fits is kept: it may be trained."""
    from dlc.weights import initial, write
    from dlc.weights_reuse import fits, rewritten

    if options.weights is not None:
        if path.exists() and path.samefile(options.weights) and fits(path, parameters):
            return f"kept {path}"
        write(path, parameters, rewritten(options.weights))
        return f"wrote {path} (weights of {options.weights})"
    if options.seed is None and fits(path, parameters):
        return f"kept {path} (its weights fit; --seed S draws new ones)"
    seed = options.seed or 0
    write(path, parameters, initial(seed))
    return f"wrote {path} (initial weights, seed {seed})"


def _say_what_is_left(file: SpecFile, found: Elaborated) -> None:
    for template in found.templates:
        needs = ", ".join(template.missing)
        print(f"skipped {template.name}: a template, it needs {needs} (--network {template.name} --set ...)")
    if found.trains:
        print(f"not emitted yet: train sections ({', '.join(found.trains)})")
    if not found.unit.networks:
        print(f"{file.path}: no network to compile")

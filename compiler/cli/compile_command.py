"""`dlc compile FILE --backend B`: everything is compiled and checked before anything is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlc.api import SpecFile, compile_unit, load, parameters_of
from dlc.backends.api import Network, Options, Unit
from dlc.cli.choice import choice_of
from dlc.cli.options import BACKENDS
from dlc.cli.show import Told
from dlc.diagnostics import DlcError, error
from dlc.networks import Elaborated
from dlc.output import prepare, record, write_files

if TYPE_CHECKING:
    from dlc.parameters import NetworkParameter

_ALL = tuple(name for name in BACKENDS if name != "all")


def run(options: Any) -> int:
    told = Told(json=options.json)
    names = _ALL if options.backend == "all" else (options.backend,)
    _check_usage(options, names)
    choice = choice_of(options)
    file = load(options.file)
    found = file.elaborate(choice)
    wanted = Options(natives=not options.no_natives, precision=options.precision, optimize=options.optimize)
    files: dict[str, str | bytes] = {}
    skipped: list[str] = []
    for name in names:
        files |= _compiled(found.unit, name, wanted, skipped if options.backend == "all" else None)
    drawn = _weights(options, found) if "onnx" in names else {}
    folder = Path(options.output)
    if files:
        prepare(folder, [*files, *drawn], file.path)
    for name, parameters in drawn.items():
        told.say(_write_weights(folder / name, parameters, options))
    for path in write_files(folder, files, file.path) if files else []:
        told.say(f"wrote {path}")
    if drawn:
        record(folder, drawn, file.path)
    for line in (*skipped, *_what_is_left(file, found)):
        told.say(line)
    return told.end([*file.warnings, *found.warnings])


def _compiled(unit: Unit, backend: str, wanted: Options, skipped: list[str] | None) -> Mapping[str, str | bytes]:
    """One backend's files. With `skipped`, networks that this backend can't express are left out and noted there."""
    try:
        return compile_unit(unit, backend, wanted).files
    except DlcError as problem:
        if skipped is None or not _is_of_backend(problem):
            raise
    possible: list[Network] = []
    for network in unit.networks:
        try:
            compile_unit(replace(unit, networks=(network,)), backend, wanted)
            possible.append(network)
        except DlcError as problem:
            if not _is_of_backend(problem):
                raise
            skipped.append(f"skipped {network.name} for {backend}: {problem.diagnostics[0].message}")
    return compile_unit(replace(unit, networks=tuple(possible)), backend, wanted).files if possible else {}


def _is_of_backend(problem: DlcError) -> bool:
    """Whether the spec is right, and only this backend has no way to say it."""
    return bool(problem.diagnostics) and all(d.code.startswith("E07") for d in problem.diagnostics)


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


def _what_is_left(file: SpecFile, found: Elaborated) -> Iterator[str]:
    for template in found.templates:
        needs = ", ".join(template.missing)
        yield f"skipped {template.name}: a template, it needs {needs} (--network {template.name} --set ...)"
    if found.trains:
        yield f"not emitted yet: train sections ({', '.join(found.trains)})"
    if not found.unit.networks:
        yield f"{file.path}: no network to compile"

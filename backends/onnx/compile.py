"""Compiles the networks of a unit: one model file each, `<network>.onnx`, or `<network>.training.onnx`.

The model's inputs are the network's inputs (its random draws among them) and states, by their names in the spec. Its
outputs are the network's by name, new states as `next <state>`, and in training `buffer <path>` for each buffer
as it is after the step. A name that is both an input's and an output's is `output <name>` among the outputs. Weights
are initialisers under their canonical paths; their numbers stand in `<network>.safetensors` beside the model, which
compiling neither writes nor reads.

Gaps are ONNX Runtime's (1.31.1, CPU), not the model's: no 64-bit kernels for Tan, Erf, Conv, ConvTranspose and
AveragePool (listed in tests/onnx/test_precisions.py), no bfloat16, and `Scan`, `Einsum`, `LSTM`, `GRU` over
nothing (no rows, for a `Scan` no steps) end the process: tests/onnx/test_runtime_faults.py has the smallest models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dlc.backends.api import Artifact, Network, Options, Unit
from dlc.backends.common.improved import improved
from dlc.backends.common.starts import starts_empty
from dlc.backends.onnx.emit import emit, functions
from dlc.backends.onnx.facts import values_above
from dlc.backends.onnx.graph import Names, element
from dlc.backends.onnx.library import Library, finish
from dlc.backends.onnx.proto import Initialiser, Model, Tensor, serialise, undefined_op
from dlc.backends.onnx.scope import STORED_PRECISION, Scope
from dlc.backends.onnx.trim import trim
from dlc.diagnostics import error
from dlc.ir import Module, Program, TensorType
from dlc.parameters import NetworkParameter, network_parameters
from dlc.passes.draws import explicit_network
from dlc.weights import header_of


def compile_unit(unit: Unit, options: Options) -> Artifact:
    """One file per network. Raises DlcError for an op without a rule, or not in the precision (E0709)."""
    files: dict[str, str | bytes] = {}
    entries: dict[str, str] = {}
    unit = improved(unit)
    if options.optimize:
        unit = replace(unit, networks=tuple(map(_folded, unit.networks)))
    for network in unit.networks:
        name = f"{network.name}.training.onnx" if options.training else f"{network.name}.onnx"
        data = serialise(model_of(network, unit, options))
        op = undefined_op(data) if options.precision != "f32" else None
        if op is not None:
            hint = "torch and tensorflow have it, and ONNX has f32"
            raise error("E0709", f"ONNX has no `{op}` in {options.precision}", hint=hint, exit_code=3)
        files[name] = data
        entries[network.name] = name
    return Artifact(files, entries)


def _folded(network: Network) -> Network:
    """The network with batch norms folded where it is not trained; the weights file stays what it is."""
    from dlc.passes.fold_norms import fold_norms

    return replace(network, inference=fold_norms(network.inference))


def model_of(network: Network, unit: Unit, options: Options) -> Model:
    """The model of one network, in the mode that the options ask for."""
    draws = explicit_network(network.inference, network.training)
    program = draws.training if options.training else draws.inference
    if not options.training and not any(module.draws for module in network.inference.modules):
        program = network.inference  # what training draws is no input of this model
    stored = network_parameters(network.inference, network.training)
    library = Library(f"dlc.{unit.stem}", options.precision)
    builder = library.builder(network.name)
    module = program.module(program.entry)
    types = {item.path: TensorType(item.dtype, item.shape) for item in stored}
    above = values_above(program)
    callees = functions(program, library, above, options.natives)
    scope = Scope(module, builder, callees, options.natives, above[module.key], types)
    results = emit(scope)
    if program.training:  # those that nothing changes too
        buffers = [item.path for item in stored if item.kind == "buffer"]
        results = results[: len(module.outputs) + len(module.next_states)] + [scope.weight(path) for path in buffers]
    else:
        buffers = []
    ports = _outputs(scope, buffers)
    finish(builder, results, [name for name, _ in ports], Names(), scope.weights)
    trim(builder.graph, library.used(builder.graph), set(scope.weights.values()))
    weights = [path for path, value in scope.weights.items() if value in builder.graph.inputs]
    return Model(
        builder.graph,
        library.domain,
        library.used(builder.graph),
        [_tensor(name, type_, options) for name, type_ in _inputs(module)],
        [_tensor(name, type_, options) for name, type_ in ports],
        _initialisers(weights, stored, f"{network.name}.safetensors"),
        unit.doc or "",
        module.doc or "",
        _metadata(program, module),
    )


def _metadata(program: Program, module: Module) -> dict[str, str]:
    """The mode, and where a state starts that a caller leaves out: at a number, or `empty`."""
    starts: dict[str, str] = {}
    for state in module.states:
        if state.initial is not None:
            starts[state.name] = repr(state.initial.value)
        elif starts_empty(module, state):
            starts[state.name] = "empty"
    mode = {"dlc.mode": "training" if program.training else "inference"}
    return mode | {f"dlc.start.{name}": value for name, value in starts.items()}


def _tensor(name: str, type_: TensorType, options: Options) -> Tensor:
    return Tensor(name, element(type_.dtype, options.precision), type_.shape)


def _inputs(module: Module) -> list[tuple[str, TensorType]]:
    return [(port.name, module.types[port.value]) for port in (*module.inputs, *module.states)]


def _outputs(scope: Scope, buffers: Sequence[str]) -> list[tuple[str, TensorType]]:
    """Names and types of what the network gives: outputs, next states, buffers."""
    module = scope.module
    taken = set(scope.ports)
    found = [
        (f"output {port.name}" if port.name in taken else port.name, module.types[port.value])
        for port in module.outputs
    ]
    found += [(f"next {port.name}", module.types[port.value]) for port in module.next_states]
    return found + [(f"buffer {path}", scope.stored[path]) for path in buffers]


def _initialisers(weights: Sequence[str], stored: Sequence[NetworkParameter], location: str) -> list[Initialiser]:
    """The weights that the model reads, each with its place in the weights file."""
    _, entries = header_of(stored)
    kept = set(weights)
    return [
        Initialiser(
            Tensor(item.path, element(item.dtype, STORED_PRECISION), item.shape),
            location,
            entries[item.path].start,
            entries[item.path].end - entries[item.path].start,
        )
        for item in stored
        if item.path in kept
    ]

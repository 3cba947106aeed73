"""The TensorFlow backend: one Python file per spec, for Keras 3 on TensorFlow."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Set

from dlc.backends.api import Artifact, Network, Options, Unit
from dlc.backends.common.fold import Folding, fold
from dlc.backends.common.improved import with_improvements
from dlc.backends.common.layout import print_module
from dlc.backends.common.names import Scope, camel, identifier
from dlc.backends.common.native import Native
from dlc.backends.common.optimised import refuse_optimize
from dlc.backends.common.quote import dotted, literal, statements
from dlc.backends.common.starts import starts
from dlc.backends.common.told import unknowns_told
from dlc.backends.tensorflow.classes import class_code, function_code
from dlc.backends.tensorflow.early import early_reads
from dlc.backends.tensorflow.helper_code import CLASSES, LOADING, Helper, class_text, functions_for, helpers
from dlc.backends.tensorflow.kernels import Kernels, keep_kernels
from dlc.backends.tensorflow.layout import assign
from dlc.backends.tensorflow.natives import NATIVES, KerasNative
from dlc.backends.tensorflow.networks import factory, output_names
from dlc.backends.tensorflow.readers import readings
from dlc.backends.tensorflow.rules.code import DTYPE_NAMES
from dlc.backends.tensorflow.shell import FileContext, Shell
from dlc.diagnostics import DlcError, error
from dlc.ir import BlockId, Module, Program, TensorType
from dlc.spec.record import replace

#: Names that every generated file has.
FILE_NAMES = (
    "Any",
    "Callable",
    "ClassVar",
    "KERAS_LAYERS",
    "PYTORCH_NAMES",
    "Sequence",
    "functools",
    "keras",
    "load_file",
    "load_weights",
    "math",
    "named_weights",
    "np",
    "ops",
    "tf",
)


class TensorFlowBackend:
    """`dlc.backends.api.Backend`."""

    name = "tensorflow"
    needs = ("tensorflow", "keras", "safetensors")
    install = 'pip install "dlc[tensorflow]"'
    runner = "dlc.backends.tensorflow.runner"

    def compile(self, unit: Unit, options: Options) -> Artifact:
        """`<stem>_tensorflow.py` with all networks of the unit. Raises DlcError where Keras can't express one."""
        _require_inputs(unit)
        refuse_optimize(self.name, options)
        return with_improvements(unit, lambda one: self._laid_out(one, options), early=True)

    def _laid_out(self, unit: Unit, options: Options) -> Artifact:
        """In the spec's order where training and inference lead to layouts that no one class can have."""
        try:
            return self._compiled(unit, options)
        except DlcError as problem:
            if options.spec_layout or options.native_layout:
                raise
            try:
                return self._compiled(unit, replace(options, spec_layout=True))
            except DlcError:
                raise problem from None

    def _compiled(self, unit: Unit, options: Options) -> Artifact:
        lowered, last, kernels = lower(unit, options)
        file = f"{identifier(unit.stem)}_tensorflow.py"
        with unknowns_told("tensorflow"):
            folding = fold(lowered, natives_for(lowered) if options.natives else {}, sized=False)
            text, words = print_file(folding, last, kernels, options)
        entries = {network.name: _entry(network, file, words[network.name]) for network in unit.networks}
        return Artifact({file: text}, entries)


def _require_inputs(unit: Unit) -> None:
    """A functional model is made from its inputs. Raises DlcError (E0701)."""
    for network in unit.networks:
        entry = network.inference.module(network.inference.entry)
        if not entry.inputs and not entry.states:
            raise error(
                "E0701",
                f"`{network.name}` has no inputs, so there is no Keras model of it",
                entry.span,
                hint="give it an input, or use another backend",
            )


def natives_for(unit: Unit) -> dict[str, Native]:
    """The natives that the unit may use: none whose parameters are read before Keras has them, or in another layout."""
    programs = [program for network in unit.networks for program in (network.inference, network.training)]
    hidden = {block.name for block in early_reads(programs).weights if block.standard}
    hidden |= {
        reading.block.name
        for reading in readings(programs)
        if reading.block.standard and not (reading.directly and _is_plain(reading.block.name, reading.parameter))
    }
    return {word: native for word, native in NATIVES.items() if native.block not in hidden}


def _is_plain(block: str, parameter: str) -> bool:
    native = NATIVES.get(block)
    return isinstance(native, KerasNative) and native.weights.get(parameter) not in (None, "kernel")


def _entry(network: Network, file: str, factory: str) -> str:
    """What the runner needs; `outputs` maps Keras' names to the spec's (`next rnn.h`)."""
    module = network.inference.module(network.inference.entry)
    spec = [*(port.name for port in module.outputs), *(f"next {port.name}" for port in module.next_states)]
    return json.dumps(
        {
            "file": file,
            "factory": factory,
            "outputs": dict(zip(output_names(module), spec, strict=True)),
            "starts": starts(module),
        }
    )


Last = dict[tuple[int, str], frozenset[str]]


def lower(unit: Unit, options: Options) -> tuple[Unit, Last, Kernels]:
    """Widths for the families, layouts, kernels. `Last`: channels-last inputs by (program, module key)."""
    programs: list[Program] = []
    last: Last = {}
    for network in unit.networks:
        for program in (network.inference, network.training):
            widened = _with_width(program, options.precision)
            laid_out, inputs = (widened, {}) if options.spec_layout else assign(widened, options.native_layout)
            last.update({(len(programs), key): names for key, names in inputs.items()})
            programs.append(laid_out)
    programs, kernels = keep_kernels(programs)
    networks = tuple(
        Network(network.name, programs[2 * place], programs[2 * place + 1])
        for place, network in enumerate(unit.networks)
    )
    return replace(unit, networks=networks), last, kernels


def _with_width(program: Program, precision: str) -> Program:
    """The family float as the precision has it; f32 stays `float`, which prints as Keras' default."""
    if precision == "f32":
        return program
    return replace(program, modules=tuple(_widened(module, precision) for module in program.modules))


def _widened(module: Module, precision: str) -> Module:
    return replace(module, types=tuple(_wide(type_, precision) for type_ in module.types))


def _wide(type_: TensorType, precision: str) -> TensorType:
    return replace(type_, dtype=precision) if type_.dtype == "float" else type_


# --- the file ------------------------------------------------------------------------------------------------------


def print_file(folding: Folding, last: Last, kernels: Kernels, options: Options) -> tuple[str, dict[str, str]]:
    """The file's text, and each network's factory function.

    The spec's own names stay free of the helpers' unless both are needed: then all is named again.
    """
    natives = _used_natives(folding)
    reserved = {native.printed for native in natives if native.printed}
    while True:
        context = FileContext(folding, Scope((*FILE_NAMES, *reserved)), last, kernels, options.precision)
        body, factories = _body(context)
        functions = functions_for(context.helpers & _read(body))
        used = {helper.name for helper in functions}
        if used <= reserved or not used & _bound(body):
            return _text(folding.unit, body, functions, natives), factories
        reserved |= used


def _body(context: FileContext) -> tuple[list[ast.stmt], dict[str, str]]:
    """Classes and functions, callees first; then the factories."""
    folding = context.folding
    factories = {network.name: context.scope.allocate(network.name) for network in folding.unit.networks}
    _name_classes(context)
    package = package_name(folding.unit)
    body: list[ast.stmt] = []
    shells: dict[int, Shell] = {}
    for folded in folding.classes:
        if folded.form is None:
            continue
        shell = shells[folded.index] = Shell(context, folded)
        word = context.names[folded.index]
        body.append(function_code(shell, word) if shell.as_function else class_code(shell, word, package))
    for place, network in enumerate(folding.unit.networks):
        index = folding.entry(2 * place).index
        wide = DTYPE_NAMES[context.precision]
        body.append(factory(network, shells[index], context.names[index], factories[network.name], wide))
    return body, factories


def _used_natives(folding: Folding) -> list[KerasNative]:
    """In the table's order."""
    used = {folded.native.block for folded in folding.classes if folded.native is not None}
    return [native for native in NATIVES.values() if native.block in used and isinstance(native, KerasNative)]


def _text(unit: Unit, body: list[ast.stmt], functions: list[Helper], natives: list[KerasNative]) -> str:
    classes = [helpers(CLASSES)[native.printed] for native in natives if native.printed]
    weights = _weight_names(natives)
    loading = [helpers(LOADING)["load_weights"], helpers(LOADING)["named_weights" if weights else "own_weights"]]
    names = _read(body).union(*(helper.names for helper in (*functions, *classes, *loading)))
    parts = [print_module(_header(unit, names))]
    parts += [helper.text for helper in functions]
    parts += [class_text(helper, package_name(unit)) for helper in classes]
    parts += [print_module([*body, *weights])]
    parts += [helper.text.replace("own_weights", "named_weights") for helper in loading]
    return "\n\n".join(parts)


def _weight_names(natives: list[KerasNative]) -> list[ast.stmt]:
    """`KERAS_LAYERS`, those with weights that the file uses, and `PYTORCH_NAMES`, what the spec calls these weights."""
    own = [native for native in natives if native.weights]
    if not own:
        return []
    words = {keras: word for native in own for word, keras in native.weights.items() if keras != word}
    layers = ast.List([dotted(native.layer) for native in own], ast.Load())
    names = ast.Dict([literal(keras) for keras in words], [literal(word) for word in words.values()])
    return statements("KERAS_LAYERS = $layers", layers=layers) + statements("PYTORCH_NAMES = $names", names=names)


def _read(body: list[ast.stmt]) -> set[str]:
    return {node.id for one in body for node in ast.walk(one) if isinstance(node, ast.Name)}


def _bound(body: list[ast.stmt]) -> set[str]:
    """Names that the code gives to anything."""
    nodes = [node for one in body for node in ast.walk(one)]
    stored = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    defined = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    return stored | defined | {node.arg for node in nodes if isinstance(node, ast.arg)}


def package_name(unit: Unit) -> str:
    """Unique per spec: two specs may both have a class `Encoder`, and Keras finds classes by name on load."""
    return f"{re.sub(r'[^A-Za-z0-9_]', '_', unit.stem)}_{unit.digest[:8]}"


def _name_classes(context: FileContext) -> None:
    """Functions keep the block's name; a network's layer is `<Network>Body`, since its factory has the name."""
    entries = {context.folding.entry(place).index for place in range(len(context.folding.programs))}
    for folded in context.folding.classes:
        if folded.form is None:
            continue
        word = folded.block.name if context.is_function(folded) else camel(folded.block.name)
        specialised = _specialised(folded.members[0].module) if _has_twins(context, folded.block) else ""
        ending = "Body" if folded.index in entries else ""
        context.names[folded.index] = context.scope.allocate(f"{word}{specialised}{ending}")


def _has_twins(context: FileContext, block: BlockId) -> bool:
    return sum(folded.block == block for folded in context.folding.classes) > 1


def _specialised(module: Module) -> str:
    """The names of the blocks that a class was specialised for."""
    from dlc.ir import Template

    values = [static.value for _, static in module.hyperparameters]
    return "".join(camel(value.block.name) for value in values if isinstance(value, Template))


def _header(unit: Unit, used: Set[str]) -> list[ast.stmt]:
    """The docstring and the imports that the file needs."""
    origin = f"Generated by dlc from {unit.file}; do not edit."
    header: list[ast.stmt] = [ast.Expr(literal(f"{unit.doc.strip()}\n\n{origin}" if unit.doc else origin))]
    header += statements("from __future__ import annotations")
    abstract = [word for word in ("Callable", "Sequence") if word in used]
    if abstract:
        header.append(ast.ImportFrom("collections.abc", [ast.alias(word) for word in abstract], 0))
    plain = [ast.Import([ast.alias(word)]) for word in ("functools", "math") if word in used]
    header[len(header) - bool(abstract) : len(header) - bool(abstract)] = plain
    typing = [word for word in ("Any", "ClassVar") if word in used]
    if typing:
        header.append(ast.ImportFrom("typing", [ast.alias(word) for word in typing], 0))
    header += statements("import keras")
    if "tf" in used:
        header += statements("import tensorflow as tf")
    if "ops" in used:
        header += statements("from keras import ops")
    if "load_file" in used:
        header += statements("from safetensors.numpy import load_file")
    return header


__all__ = ["TensorFlowBackend", "lower", "package_name", "print_file"]

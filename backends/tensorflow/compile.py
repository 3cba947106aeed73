"""The TensorFlow backend: one Python file per spec, for Keras 3 on TensorFlow."""

from __future__ import annotations

import ast
import json
import re

from dlc.backends.api import Artifact, Network, Options, Unit
from dlc.backends.common.fold import Folding, fold
from dlc.backends.common.layout import print_module
from dlc.backends.common.names import Scope, camel, identifier
from dlc.backends.common.quote import literal, statements
from dlc.backends.common.starts import starts
from dlc.backends.common.told import unknowns_told
from dlc.backends.tensorflow.classes import class_code, function_code
from dlc.backends.tensorflow.helper_code import helper_functions, helper_text, with_needed
from dlc.backends.tensorflow.kernels import Kernels, keep_kernels
from dlc.backends.tensorflow.layout import assign
from dlc.backends.tensorflow.natives import natives_for
from dlc.backends.tensorflow.networks import factory, output_names
from dlc.backends.tensorflow.rules.code import DTYPE_NAMES
from dlc.backends.tensorflow.shell import FileContext, Shell
from dlc.diagnostics import error
from dlc.ir import INTS, BlockId, Module, Program, TensorType
from dlc.spec.record import replace

#: Names that every generated file has.
FILE_NAMES = (
    "Any",
    "Callable",
    "ClassVar",
    "Sequence",
    "keras",
    "load_file",
    "load_weights",
    "math",
    "np",
    "ops",
    "tf",
)


#: Helpers that stand at the end of each file.
LOADING = ("load_weights", "find_variable", "attribute", "native_names")


class TensorFlowBackend:
    """`dlc.backends.api.Backend`."""

    name = "tensorflow"
    needs = ("tensorflow", "keras", "safetensors")
    install = 'pip install "dlc[tensorflow]"'
    runner = "dlc.backends.tensorflow.runner"

    def compile(self, unit: Unit, options: Options) -> Artifact:
        """`<stem>_tensorflow.py` with all networks of the unit. Raises DlcError where Keras can't express one."""
        _require_inputs(unit)
        lowered, last, kernels = lower(unit, options)
        file = f"{identifier(unit.stem)}_tensorflow.py"
        with unknowns_told("tensorflow"):
            folding = fold(lowered, natives_for(_programs(lowered)) if options.natives else {}, sized=False)
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


def _programs(unit: Unit) -> list[Program]:
    return [program for network in unit.networks for program in (network.inference, network.training)]


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
            laid_out, inputs = assign(_with_width(program, options.precision), options.native_layout)
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
    """The file's text, and each network's factory function."""
    scope = Scope((*FILE_NAMES, *helper_functions()))
    context = FileContext(folding, scope, last, kernels, options.precision)
    factories = {network.name: scope.allocate(network.name) for network in folding.unit.networks}
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
        wide = DTYPE_NAMES[options.precision]
        body.append(factory(network, shells[index], context.names[index], factories[network.name], wide))
    context.helpers |= set(LOADING)
    helpers = with_needed(context.helpers)
    header = _header(folding.unit, [*helpers, *body])
    first = [helper_text(node.name) for node in helpers if node.name not in LOADING]
    parts = [print_module(header), *first, print_module(body), *(helper_text(word) for word in LOADING)]
    return "\n\n".join(parts), factories


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


def _header(unit: Unit, nodes: list[ast.stmt]) -> list[ast.stmt]:
    """The docstring and the imports that the file needs."""
    used = {node.id for one in nodes for node in ast.walk(one) if isinstance(node, ast.Name)}
    header: list[ast.stmt] = [ast.Expr(literal(unit.doc))] if unit.doc else []
    header += statements("from __future__ import annotations")
    abstract = [word for word in ("Callable", "Sequence") if word in used]
    if abstract:
        header.append(ast.ImportFrom("collections.abc", [ast.alias(word) for word in abstract], 0))
    if "math" in used:
        header.insert(len(header) - bool(abstract), ast.Import([ast.alias("math")]))
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


__all__ = ["INTS", "TensorFlowBackend", "lower", "package_name", "print_file"]

"""Factory functions: a network as a functional model over its layer, as keras.applications has them."""

from __future__ import annotations

import ast

from dlc.backends.api import Network
from dlc.backends.common.evaluate import Unknown
from dlc.backends.common.expression import python
from dlc.backends.common.layout import fits
from dlc.backends.common.names import identifier
from dlc.backends.common.quote import call, dotted, literal, name, quote, statements
from dlc.backends.tensorflow.declared import declared_sizes
from dlc.backends.tensorflow.rules.code import DTYPE_NAMES
from dlc.backends.tensorflow.shell import Shell
from dlc.dims import Dim
from dlc.ir import Module, Port, State
from dlc.spec.syntax import Block, Expr


def factory(network: Network, shell: Shell, class_name: str, word: str, wide: str) -> ast.FunctionDef:
    """`def ResNet50(classes: int = 1000) -> keras.Model:`, whose defaults are the network's hyperparameters.

    `wide` is the width of the family float.
    """
    entry = network.inference.module(network.inference.entry)
    scope = shell.context.scope.child(shell.argument(h) for h in shell.folded.hyperparameters)
    values = {key: static.value for key, static in entry.hyperparameters}
    arguments = ast.arguments([], [], None, [], [], None, [])
    configured = {key for key, _ in network.inference.configuration}
    free = [h for h in shell.folded.hyperparameters if h not in configured and _plain(values[h])]
    from dlc.backends.tensorflow.classes import annotation

    for key in free:
        arguments.args.append(ast.arg(shell.argument(key), annotation(shell, key)))
        arguments.defaults.append(_value(values[key]))
    body: list[ast.stmt] = []
    if entry.doc:
        body.append(ast.Expr(literal(entry.doc)))
    ports: list[Port | State] = [*entry.inputs, *entry.states]
    inputs: list[str] = []
    declaration = shell.context.declaration(shell.folded)
    for port in ports:
        inputs.append(scope.allocate(port.name))
        made = _input(entry, port, declaration, {h: shell.argument(h) for h in free}, shell, wide)
        body += statements("$x = $made", x=name(inputs[-1]), made=made)
    body += _finish(network, shell, entry, class_name, inputs, values, free)
    return ast.FunctionDef(word, arguments, body, [], quote("keras.Model"))


def _finish(
    network: Network,
    shell: Shell,
    entry: Module,
    class_name: str,
    inputs: list[str],
    values: dict[str, object],
    free: list[str],
) -> list[ast.stmt]:
    """Applies the layer and makes the model; one result stands for itself, several are a dict."""
    keywords: list[ast.keyword] = []
    for key in shell.folded.hyperparameters:
        if key in free:
            keywords.append(ast.keyword(shell.argument(key), name(shell.argument(key))))
        elif _plain(values[key]) and values[key] != shell.default(shell.folded, key):
            keywords.append(ast.keyword(shell.argument(key), _value(values[key])))
    layer = ast.Call(name(class_name), [], keywords)
    names = output_names(entry)
    words = [shell.context.scope.child((*inputs, "layer")).allocate(word) for word in names]
    if len(names) == 1:
        words = ["outputs"]
    targets: list[ast.expr] = [ast.Name(word, ast.Store()) for word in words]
    target = targets[0] if len(targets) == 1 else ast.Tuple(targets, ast.Store())
    tensors = [name(word) for word in inputs]
    body: list[ast.stmt] = [ast.Assign([target], ast.Call(layer, tensors, []))]
    if not fits(body[0], 1):
        body = [ast.Assign([ast.Name("layer", ast.Store())], layer), ast.Assign([target], call("layer", *tensors))]
    table: ast.expr = name(inputs[0])
    if len(inputs) != 1:
        table = ast.Dict([literal(port) for port in _input_names(entry)], [name(word) for word in inputs])
    outputs: ast.expr = name("outputs")
    if len(names) != 1:
        outputs = ast.Dict([literal(word) for word in names], [name(word) for word in words])
    model = call("keras.Model", table, outputs, name=literal(identifier(network.name)))
    return [*body, ast.Return(model)]


def output_names(entry: Module) -> list[str]:
    """Outputs, then next states as `next_h`."""
    states = [f"next_{identifier(port.name)}" for port in entry.next_states]
    return [*(port.name for port in entry.outputs), *states]


def _input_names(entry: Module) -> list[str]:
    return [*(port.name for port in entry.inputs), *(identifier(state.name) for state in entry.states)]


def _input(
    entry: Module, port: Port | State, declaration: Block | None, free: dict[str, str], shell: Shell, wide: str
) -> ast.expr:
    """`keras.Input((None, 28, 28))`: dynamic sizes are None, the batch is left out."""
    type_ = entry.types[port.value]
    sources = declared_sizes(declaration, port.name, type_.rank)
    sizes = [
        literal(None) if isinstance(size, Dim) else _size(size, source, free, shell)
        for size, source in zip(type_.shape, sources, strict=True)
    ]
    dtype = wide if type_.dtype == "float" else DTYPE_NAMES[type_.dtype]
    keywords = {"dtype": None if dtype == "float32" else literal(dtype), "name": literal(identifier(port.name))}
    if type_.shape and isinstance(type_.shape[0], Dim):
        return call("keras.Input", ast.Tuple(sizes[1:], ast.Load()), **keywords)
    return call("keras.Input", batch_shape=ast.Tuple(sizes, ast.Load()), **keywords)


def _size(size: int, source: Expr | None, free: dict[str, str], shell: Shell) -> ast.expr:
    """The size as the spec writes it, where that is over the factory's arguments."""
    if source is None:
        return literal(size)
    try:
        code = python(source, lambda word: name(free[word]), shell.module)
    except (Unknown, KeyError):
        return literal(size)
    return code if any(isinstance(node, ast.Name) for node in ast.walk(code)) else literal(size)


def _plain(value: object) -> bool:
    if isinstance(value, tuple):
        return all(_plain(item) for item in value)
    return value is None or isinstance(value, bool | int | float | str)


def _value(value: object) -> ast.expr:
    return literal(_listed(value))


def _listed(value: object) -> object:
    return [_listed(item) for item in value] if isinstance(value, tuple) else value


__all__ = ["dotted", "factory", "output_names"]

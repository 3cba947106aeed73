"""A block as a Keras layer class, or as a function."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from dlc.backends.common import given_sizes, held
from dlc.backends.common.expression import python
from dlc.backends.common.form import PREPARE
from dlc.backends.common.names import dimension_name
from dlc.backends.common.outline import outline
from dlc.backends.common.quote import call, dotted, literal, name, quote, statements
from dlc.backends.common.signature import union_code
from dlc.backends.tensorflow.making import Making, making_names, weight_names
from dlc.backends.tensorflow.named_sizes import name_sizes
from dlc.backends.tensorflow.shell import Shell, made_sites
from dlc.backends.tensorflow.tidy import tidy
from dlc.diagnostics import error
from dlc.ir import FLOATS
from dlc.spec.syntax import ConstantType, Hyperparameter

_TYPES = {"int": "int", "float": "float", "bool": "bool", "str": "str", "size": "int", "literal": "str"}


def function_code(shell: Shell, word: str) -> ast.FunctionDef:
    """A block without anything of its own."""
    body = _body(shell, 1)
    arguments = _call_arguments(shell, leading=[])
    keyword_only = [(shell.argument(w), annotation(shell, w), shell.default(shell.folded, w)) for w in _words(shell)]
    arguments.kwonlyargs = [ast.arg(w, annotation) for w, annotation, _ in keyword_only]
    arguments.kw_defaults = [None if default is ... else _literal(default) for _, _, default in keyword_only]
    return _function(word, arguments, [*_docstring(shell), *body], _result_type(shell))


def class_code(shell: Shell, word: str, package: str) -> ast.ClassDef:
    """A subclass of keras.layers.Layer."""
    call_body = _body(shell, 2)
    uses_training = any(isinstance(n, ast.Name) and n.id == "training" for s in call_body for n in ast.walk(s))
    arguments = _call_arguments(shell, leading=["self"])
    if uses_training:
        arguments.args.append(ast.arg("training", name("bool")))
        arguments.defaults.append(literal(False))
    makes_late = _dimensions(shell, making_names(shell))
    body: list[ast.stmt] = [*_docstring(shell)]
    late_layers = bool(makes_late)
    if late_layers and shell.form.block in shell.context.early.holders:
        message = f"`{makes_late[0]}` is not known when `{shell.form.block.name}` is made, which holds a state's start"
        raise error("E0706", message, hint="give the size as a hyperparameter", exit_code=3)
    init = _init(shell, late_layers)
    if init is not None:
        body.append(init)
    build = _build(shell, late_layers)
    if build is not None:
        body.append(build)
    if shell.form.parts:
        body.append(_prepare(shell, late_layers))
    body.append(_function("call", arguments, call_body, _result_type(shell)))
    config = _get_config(shell)
    if config is not None:
        body.append(config)
    decorator = quote("keras.saving.register_keras_serializable(package=$package)", package=package)
    return ast.ClassDef(word, [dotted("keras.layers.Layer")], [], body, [decorator])


def _prepare(shell: Shell, late_layers: bool) -> ast.FunctionDef:
    """What is computed once, before a scan: Keras has built nothing yet then, but layers that are made build
    themselves. Raises DlcError (E0706)."""
    if late_layers:
        message = f"layers of `{shell.form.block.name}` are not made when what it computes once is asked for"
        raise error("E0706", message, hint="give their sizes as hyperparameters", exit_code=3)
    once = Shell(shell.context, shell.folded, PREPARE)
    body = [*_docstring(once), *_body(once, 2)]
    return _function(PREPARE, _call_arguments(once, leading=["self"]), body, _result_type(once))


def _body(shell: Shell, depth: int) -> list[ast.stmt]:
    """The statements of the function or of `call`, which stand `depth` levels deep."""
    fresh = shell.body.scope.allocate
    return outline(name_sizes(tidy(shell.body.print()), shell.axis_names(), fresh), depth, fresh)


# --- constructor ---------------------------------------------------------------------------------------------------


def _words(shell: Shell) -> list[str]:
    """Hyperparameters, those without a default first."""
    words = list(shell.folded.hyperparameters)
    return sorted(words, key=lambda word: shell.default(shell.folded, word) is not ...)


def _init(shell: Shell, late_layers: bool) -> ast.FunctionDef | None:
    arguments = ast.arguments([], [ast.arg("self")], None, [], [], None, [])
    widths = _width_keywords(shell)
    body: list[ast.stmt] = [
        ast.Expr(ast.Call(quote("super().__init__"), [], [*widths, ast.keyword(None, name("kwargs"))]))
    ]
    for word in _words(shell):
        default = shell.default(shell.folded, word)
        arguments.args.append(ast.arg(shell.argument(word), annotation(shell, word)))
        if default is not ...:
            arguments.defaults.append(_literal(default))
        target = dotted(f"self.{shell.stored(word)}")
        body += statements("$target = $value", target=target, value=name(shell.argument(word)))
    if shell.dialect.seeded:
        body += statements("self.seed_generator = keras.random.SeedGenerator()")
    scope = shell.context.scope.child(("self", *(shell.argument(word) for word in _words(shell))))
    making = Making(shell, lambda word: _init_name(shell, word), scope)
    if not late_layers:
        body += making.layers()
    body += making.weights(early=True)
    if not _builds(shell, late_layers) and made_sites(shell.form.body, shell.context):
        body += statements("self.built = True")
    if len(body) == 1 and not widths:
        return None
    if shell.context.precision != "f32":
        arguments.args.append(ast.arg("dtype", name("str")))
        arguments.defaults.append(literal(shell.context.width("float")))
    arguments.kwarg = ast.arg("kwargs", name("Any"))
    return _function("__init__", arguments, body, literal(None))


def _width_keywords(shell: Shell) -> list[ast.keyword]:
    """What `Layer.__init__` is told of element types: a layer casts all float inputs to its own, unless told not to."""
    usual = shell.context.width("float")
    floats = {
        shell.context.width(type_.dtype) for m in shell.form.modules for type_ in m.types if type_.dtype in FLOATS
    }
    found = [] if shell.context.precision == "f32" else [ast.keyword("dtype", name("dtype"))]
    return [*found, ast.keyword("autocast", literal(False))] if floats - {usual} else found


def _init_name(shell: Shell, word: str) -> ast.expr:
    if word in shell.folded.hyperparameters:
        return name(shell.argument(word))
    message = f"`{word}` is not known when `{shell.folded.block.name}` is made"
    raise error("E0706", message, hint="give the size as a hyperparameter", exit_code=3)


def _builds(shell: Shell, late_layers: bool) -> bool:
    """Whether anything is made when the inputs are known. Layers inside are built when they are first called."""
    return late_layers or not all(shell.is_early(weight.name) for weight in shell.form.weights)


def _build(shell: Shell, late_layers: bool) -> ast.FunctionDef | None:
    """Weights, and layers that need sizes of the inputs."""
    if not _builds(shell, late_layers):
        return None
    names = weight_names(shell) | (making_names(shell) if late_layers else set[str]())
    needed = _dimensions(shell, names)
    places = {dimension: shell.declared_axis(dimension) for dimension in needed}
    factors = {dimension: shell.declared_factor(dimension) for dimension, found in places.items() if found is None}
    read = [place[0] for place in (*places.values(), *factors.values()) if place is not None]
    shapes = _shape_arguments(shell, read)
    scope = shell.context.scope.child(("self", *shapes.values()))
    local: dict[str, str] = {}
    body: list[ast.stmt] = []

    def code(word: str) -> ast.expr:
        if word in local:
            return name(local[word])
        if word in shell.folded.hyperparameters:
            return dotted(f"self.{shell.stored(word)}")
        return _init_name(shell, word)

    for dimension, alone in places.items():
        found = alone or factors[dimension]
        if found is None:
            raise error("E0706", f"no input has an axis of size `{dimension}`", exit_code=3)
        port, axis, *other = found
        rank = shell.rank(port)
        index = axis - rank if axis == rank - 1 else axis
        value = quote("$shape[$axis]", shape=name(shapes[port]), axis=index)
        if other:
            value = quote("$size // $other", size=value, other=python(other[0], code, shell.module))
        local[dimension] = scope.allocate(dimension_name(dimension))
        body += statements("$target = $value", target=name(local[dimension]), value=value)

    making = Making(shell, code, scope)
    if late_layers:
        body += making.layers()
    body += making.weights()
    annotation = quote("tuple[int | None, ...]")
    arguments = ast.arguments(
        [], [ast.arg("self"), *(ast.arg(w, annotation) for w in shapes.values())], None, [], [], None, []
    )
    return _function("build", arguments, body, literal(None))


def _dimensions(shell: Shell, names: set[str]) -> list[str]:
    """The dimension names among `names`, in the spec's order."""
    return [
        word for word, _ in shell.form.modules[0].dims if word in names and word not in shell.folded.hyperparameters
    ]


def _shape_arguments(shell: Shell, ports: Sequence[str]) -> dict[str, str]:
    """How `build` calls the shapes: `input_shape` for the first input alone, else `<input>_shape` each.

    Keras gives a lone shape argument the first input's shape, whatever its name.
    """
    required = [word for word, optional in shell.form.inputs if not optional]
    order_ = [*required, *shell.form.states]
    if not order_:
        return {}
    if all(port == order_[0] for port in ports):
        return {order_[0]: "input_shape"}
    return {port: f"{shell.body.arguments[port]}_shape" for port in order_ if port in ports or port == order_[0]}


def _get_config(shell: Shell) -> ast.FunctionDef | None:
    words = _words(shell)
    if not words:
        return None
    items: list[ast.expr | None] = [literal(shell.argument(word)) for word in words]
    values: list[ast.expr] = [_config_value(shell, word) for word in words]
    table = ast.Dict([None, *items], [quote("super().get_config()"), *values])
    arguments = ast.arguments([], [ast.arg("self")], None, [], [], None, [])
    return _function("get_config", arguments, [ast.Return(table)], quote("dict[str, Any]"))


def _config_value(shell: Shell, word: str) -> ast.expr:
    return dotted(f"self.{shell.stored(word)}")


# --- pieces --------------------------------------------------------------------------------------------------------


def _call_arguments(shell: Shell, leading: Sequence[str]) -> ast.arguments:
    sizes = given_sizes.ports(shell.form.modules[0])
    optional = {word for word, by_keyword in shell.form.inputs if by_keyword and word not in sizes}
    args = [ast.arg(word) for word in leading]
    defaults: list[ast.expr] = []
    for word, python_name in shell.body.arguments.items():
        kind = quote("int") if word in sizes else _argument_type(shell, word, word in optional)
        args.append(ast.arg(python_name, kind))
        if word in optional:
            defaults.append(literal(None))
    return ast.arguments([], args, None, [], [], None, defaults)


def _argument_type(shell: Shell, word: str, optional: bool) -> ast.expr:
    """A tensor, or a layer that the block is given (see `held`), or a list of these."""
    if not held.is_held(word):
        return quote("tf.Tensor | None" if optional else "tf.Tensor")
    word = word.removeprefix(held.MARK)
    several = isinstance(dict(shell.form.modules[0].hyperparameters)[word].value, tuple)
    is_callable = (shell.folded.index, word) in shell.context.callables
    one = quote("Callable[..., tf.Tensor]" if is_callable else "keras.layers.Layer")
    return quote("list[$one]", one=one) if several else one


def _function(word: str, arguments: ast.arguments, body: list[ast.stmt], returns: ast.expr) -> ast.FunctionDef:
    return ast.FunctionDef(word, arguments, body, [], returns)


def _result_type(shell: Shell) -> ast.expr:
    count = len(shell.form.outputs) + len(shell.form.next_states)
    return quote("tf.Tensor") if count == 1 else quote("tuple[tf.Tensor, ...]")


def _docstring(shell: Shell) -> list[ast.stmt]:
    text = shell.form.modules[0].doc
    return [] if not text else [ast.Expr(literal(text))]


def annotation(shell: Shell, word: str) -> ast.expr:
    found = _declared(shell, word)
    return quote("Any") if found is None else _type_code(found.type)


def _declared(shell: Shell, word: str) -> Hyperparameter | None:
    declaration = shell.context.declaration(shell.folded)
    if declaration is None:
        return None
    return next((h for h in declaration.hyperparameters if h.name == word), None)


def _type_code(type_: ConstantType) -> ast.expr:
    if type_.options:
        return union_code([_type_code(option) for option in type_.options])
    if type_.name == "none":
        return literal(None)
    if type_.element is not None:
        return quote("list[$element]", element=_type_code(type_.element))
    return dotted(_TYPES.get(type_.name, "object"))


def _literal(value: object) -> ast.expr:
    return literal(value)


__all__ = ["call", "class_code", "function_code"]

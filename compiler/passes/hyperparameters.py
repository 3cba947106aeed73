"""Hyperparameters: checks values against their declared types, fills in defaults."""

from __future__ import annotations

from collections.abc import Mapping

from dlc.diagnostics import Note, did_you_mean, error
from dlc.dims import Dim
from dlc.ir import Static
from dlc.ops import OPS
from dlc.passes import functions, given_sizes, static
from dlc.passes.bounds import check_bounds
from dlc.passes.builder import Builder
from dlc.passes.signatures import signature, usual_call
from dlc.passes.things import BlockDeclaration, BlockValue, Items, Layer, Pending, Primitive, Thing, describe
from dlc.spec import syntax
from dlc.spec.print_literals import string_text
from dlc.spec.record import replace
from dlc.spec.source import Span


def close(b: Builder, block: BlockValue, span: Span) -> dict[str, Thing]:
    """All hyperparameters of a block, in declared order, defaults included.

    Raises DlcError for a missing one (E0309), a wrong one (E0310), one out of its bounds (E0311).
    """
    given = dict(block.bound)
    closed: dict[str, Thing] = {}
    missing = missing_hyperparameters(block.declaration, given)
    if missing:
        raise error(
            "E0309",
            f"`{block.declaration.id.name}` needs a value for {', '.join(f'`{name}`' for name in missing)}",
            span,
            expected=signature(block.declaration),
            hint=f"write `{usual_call(block.declaration)}`" if block.declaration.inputs and not given else None,
            notes=(Note("declared here", block.declaration.block.name_span),),
        )
    for declared in block.declaration.block.hyperparameters:
        if declared.name in given:
            at = b.given_at.get((span, declared.name), span)
            first = b.given_at.get((span, block.declaration.block.hyperparameters[0].name), at)
            later = (first.line, first.column) < (at.line, at.column)
            closed[declared.name] = _checked(b, block.declaration, declared, given[declared.name], at, later=later)
        else:
            closed[declared.name] = default_of(b, block.declaration, declared, closed, span)
        if declared.bounds is not None:
            check_bounds(b, block.declaration, declared, closed, b.given_at.get((span, declared.name), span))
    return closed


def missing_hyperparameters(declaration: BlockDeclaration, given: Mapping[str, Thing]) -> list[str]:
    """Hyperparameters without a value and without a default."""
    return [h.name for h in declaration.block.hyperparameters if h.default is None and h.name not in given]


def default_of(
    b: Builder, declaration: BlockDeclaration, declared: syntax.Hyperparameter, closed: Mapping[str, Thing], span: Span
) -> Thing:
    """A default, evaluated among the hyperparameters before it."""
    from dlc.passes.expressions import evaluate

    assert declared.default is not None
    scope = Builder(b.elaborator, declaration, b.training, env=dict(closed))
    thing = evaluate(scope, declared.default)
    own = span if declaration.id.standard else declared.default.span
    return _checked(b, declaration, declared, without_source(thing), own)


def without_source(thing: Thing) -> Thing:
    """A constant that has no source in this scope."""
    match thing:
        case Static(value=value):
            return Static(value)
        case Items(items=items):
            return Items(tuple(without_source(item) for item in items))
        case _:
            return thing


def _checked(
    b: Builder,
    declaration: BlockDeclaration,
    declared: syntax.Hyperparameter,
    thing: Thing,
    span: Span,
    *,
    later: bool = False,
) -> Thing:
    """The value as its declared type has it: an int given for a float becomes one, a pending layer a template or
    layer. `later`: another value stands before it in the call."""
    kind = declared.type
    thing = _taken(b, kind, functions.as_given(kind, thing, span))
    fitted = _fit(kind, thing, span)
    if fitted is not None:
        _check_layer(b, declared, fitted, span)
        _check_template(declared, fitted, span)
        return fitted
    raise error(
        "E0310",
        f"`{declared.name}` of `{declaration.id.name}` takes {_words(kind)}",
        span,
        found=_found(kind, thing, span),
        expected=_words(kind),
        hint=_hint(kind, thing) or (_no_size(declaration, declared, thing) if later else None),
        notes=(Note("declared here", declared.span),),
    )


def _taken(b: Builder, kind: syntax.ConstantType, thing: Thing) -> Thing:
    """What is not made yet as the type wants it: a template, or a layer. In lists, too."""
    from dlc.passes.calls import layer_of

    match kind.name, thing:
        case "block", Pending(block=block):
            return block
        case "layer", Pending():
            return layer_of(b, thing)
        case "list", Items(items=items) if kind.element is not None:
            return replace(thing, items=tuple(_taken(b, kind.element, item) for item in items))
        case _:
            return thing


def _found(kind: syntax.ConstantType, thing: Thing, span: Span) -> str:
    """The thing in words; of a list the item that does not fit."""
    if kind.name == "list" and kind.element is not None and isinstance(thing, Items):
        for i, item in enumerate(thing.items):
            if _fit(kind.element, item, span) is None:
                return f"a list whose item {i} is {_found(kind.element, item, span)}"
    return describe(thing)


def _hint(kind: syntax.ConstantType, thing: Thing) -> str | None:
    match thing:
        case Static(value=str() as text):
            return did_you_mean(text, [option.literal for option in kind.options if option.literal is not None])
        case Static(value=float() as value) if kind.name == "int":
            return f"write `{int(value)}`; `//` divides into whole numbers" if value.is_integer() else None
        case Static(value=Dim()):
            return "a dynamic dimension is known only when the network runs; give it a size at the network's border"
        case Primitive(name=name) if name in OPS:
            return f"a function of one tensor is a block; declare a block that calls `{name}`"
        case _:
            return None


def _no_size(declaration: BlockDeclaration, declared: syntax.Hyperparameter, thing: Thing) -> str | None:
    """`dense(64, 10)`, of a person who writes the input's size, too."""
    first = declaration.block.hyperparameters[0]
    is_number = isinstance(thing, Static) and type(thing.value) is int
    if not is_number or declared.type.name != "bool" or first.type.name != "int":
        return None
    return f"the sizes of inputs are known from their shapes: `{declaration.id.name}` takes only its own {first.name}"


def _check_layer(b: Builder, declared: syntax.Hyperparameter, thing: Thing, span: Span) -> None:
    """A layer that is given away holds constants only: its dynamic sizes belong to where it was made."""
    match thing:
        case Items(items=items):
            for item in items:
                _check_layer(b, declared, item, span)
        case Layer(instance=instance):
            sizes = given_sizes.found_in(b.instance_things[instance])
            if sizes:
                raise error(
                    "E0310",
                    f"a layer with a dynamic size can't be given to a block: `{declared.name}`",
                    span,
                    found=f"a layer with the dynamic size {next(iter(sizes.values()))}",
                    hint=f"declare `{declared.name}` as `block`",
                    notes=(Note("declared here", declared.span),),
                )
        case _:
            return


def _check_template(declared: syntax.Hyperparameter, thing: Thing, span: Span) -> None:
    """A template's own hyperparameters are constants and blocks: an instance belongs to one place."""
    match thing:
        case Items(items=items):
            for item in items:
                _check_template(declared, item, span)
        case BlockValue(declaration=template, bound=bound):
            for name, value in bound:
                if isinstance(value, Layer):
                    raise error(
                        "E0310",
                        f"a template can't hold a layer: `{name}` of `{template.id.name}`",
                        span,
                        found="a layer that is shared by all uses",
                        expected=f"a constant or a block for `{name}`",
                        hint=f"declare `{declared.name}` as `layer`",
                        notes=(Note("the template is taken here", declared.span),),
                    )
                _check_template(declared, value, span)
        case _:
            return


def _fit(kind: syntax.ConstantType, thing: Thing, span: Span) -> Thing | None:
    match kind.name, thing:
        case "union", _:
            return next((f for option in kind.options if (f := _fit(option, thing, span)) is not None), None)
        case "literal", Static(value=str() as text) if text == kind.literal:
            return thing
        case "none", Static(value=None):
            return thing
        case "list", Items(items=items):
            assert kind.element is not None
            fitted = [_fit(kind.element, item, span) for item in items]
            return replace(thing, items=tuple(f for f in fitted if f)) if all(f is not None for f in fitted) else None
        case "int", Static(value=value) if type(value) is int:
            return thing
        case "size", Static(value=value) if type(value) is int or isinstance(value, Dim):
            return thing
        case "float", Static(value=int() | float() as value) if not isinstance(value, bool):
            return Static(static.as_float(value, span), thing.source)
        case "bool", Static(value=bool()):
            return thing
        case "str", Static(value=str()):
            return thing
        case "block", BlockValue():
            return thing
        case "layer", Layer():
            return thing
        case _:
            return None


def _words(kind: syntax.ConstantType) -> str:
    if kind.options:
        *first, last = map(_words, kind.options)
        return f"{', '.join(first)} or {last}"
    if kind.literal is not None:
        return string_text(kind.literal)
    if kind.name == "list":
        assert kind.element is not None
        plural = _words(kind.element).removeprefix("a ").removeprefix("an ").replace("list of", "lists of")
        return f"a list of {plural if plural.endswith('s') else plural + 's'}"
    return {
        "int": "an int",
        "size": "a size",
        "float": "a float",
        "bool": "a bool",
        "str": "a str",
        "block": "a block",
        "layer": "a layer",
        "none": "none",
    }[kind.name]

"""Dynamic sizes that a block is given by its hyperparameters (`n: size`, with `band(T)`).

Such a size is no constant of the block. In its module it is a formal dimension, called as the hyperparameter; who calls
the module says what it is there, as for the dimensions of the block's inputs. Where no input has an axis of that size,
the module gets one more input, an integer that is the size itself, and the dimension is at home in it.

An item of a list goes by `name_0`, what a template binds by `name_inner`. A layer that holds a dynamic size belongs to
where it was made and is not given away (E0310).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from dlc import dims, ir
from dlc.dims import Dim, Size
from dlc.ir import Static, TensorType
from dlc.passes.builder import Builder
from dlc.passes.things import BlockValue, Items, Tensor, Thing
from dlc.spec import syntax
from dlc.spec.record import replace
from dlc.spec.source import Span

Things = Mapping[str, Thing]
#: By where the size stands among the hyperparameters: its name inside, and its size there.
Given = Mapping[str, Size]


def found_in(things: Things) -> dict[str, Size]:
    """The dynamic sizes among hyperparameters, in the caller's symbols."""
    return {name: size for key, thing in things.items() for name, size in _sizes(key, thing)}


def _sizes(name: str, thing: Thing) -> Iterator[tuple[str, Size]]:
    match thing:
        case Static(value=Dim() as size):
            yield name, size
        case Items(items=items):
            for index, item in enumerate(items):
                yield from _sizes(f"{name}_{index}", item)
        case BlockValue(bound=bound):
            for inner, value in bound:
                yield from _sizes(f"{name}_{inner}", value)
        case _:
            return


def is_dynamic(thing: Thing) -> bool:
    """Whether a hyperparameter is a dynamic size, or a list that holds one: it is no constant then."""
    return not isinstance(thing, BlockValue) and next(_sizes("", thing), None) is not None


def formal(sizes: Given, renamed: Mapping[str, Size], taken: Collection[str]) -> tuple[Given, dict[str, Size]]:
    """What given sizes are inside of the module, and what the symbols that this takes are in the caller.

    `renamed`: the caller's symbols that the module knows by its inputs; a size over these alone stays an expression of
    them. `taken`: symbols that the module has already.
    """
    inside: dict[str, Size] = {}
    back: dict[str, Size] = {}
    known: dict[Size, Size] = {}
    for name, size in sizes.items():
        if all(symbol in renamed for symbol in dims.symbols(size)):
            inside[name] = dims.substitute(size, renamed)
            continue
        if size not in known or not renamed:
            own = name
            while own in taken or own in back:
                own += "_"
            known[size], back[own] = dims.symbol(own), size
        inside[name] = known[size]
    return inside, back


def things_inside(things: Things, given: Given) -> dict[str, Thing]:
    """The hyperparameters as the module sees them."""
    return {name: _inside(name, thing, given) for name, thing in things.items()}


def _inside(name: str, thing: Thing, given: Given) -> Thing:
    match thing:
        case Static(value=Dim()):
            return Static(given[name], syntax.Name(name))
        case Items(items=items) if is_dynamic(thing):
            return Items(tuple(_unnamed(_inside(f"{name}_{i}", item, given)) for i, item in enumerate(items)))
        case BlockValue(bound=bound):
            return replace(thing, bound=tuple((n, _inside(f"{name}_{n}", value, given)) for n, value in bound))
        case _:
            return thing


def _unnamed(thing: Thing) -> Thing:
    """A constant of a list that is no hyperparameter of the generated code."""
    return Static(thing.value) if isinstance(thing, Static) and not isinstance(thing.value, Dim) else thing


def ports(b: Builder, given: Given, homes: Collection[ir.Home], taken: Collection[str]) -> dict[ir.Port, ir.Home]:
    """An integer input, and a home in it, for each given size that no other input tells."""
    told = {home.symbol for home in homes}
    found: dict[ir.Port, ir.Home] = {}
    for size in dict.fromkeys(given.values()):
        symbol = dims.is_symbol(size)
        if symbol is None or symbol in told:
            continue
        name = symbol
        while name in taken:
            name += "_"
        found[ir.Port(name, b.new_value(TensorType("int", ())))] = ir.Home(symbol, name, ir.ITSELF, size)
    return found


def operands(b: Builder, module: ir.Module, sizes: Mapping[str, Size], span: Span) -> dict[str, Tensor]:
    """The inputs that tell a module its given sizes, by name, as the caller computes them."""
    found = {home.port: sizes[home.symbol] for home in module.homes if home.axis == ir.ITSELF}
    return {name: b.constant(Static(size), "int", span) for name, size in found.items()}

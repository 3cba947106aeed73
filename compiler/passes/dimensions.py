"""Dimension names: bound where a call's types meet a block's declared types; made formal for the block's module.

A block is elaborated for formal dimensions, one symbol per dynamic dimension name, so that calls at [N, S] and [N,
T] share a
module. Where a block needs two of its dimensions to be equal, or one to be an expression of another, it is
elaborated again for
the caller's own relations (`formal_sizes(..., related=True)`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dlc import dims, ir
from dlc.diagnostics import Note, error
from dlc.dims import Dim, Size
from dlc.ir import Static, TensorType
from dlc.passes import static
from dlc.passes.builder import Builder
from dlc.passes.shape_hints import shape_hint
from dlc.passes.things import BlockDeclaration, Items, Thing
from dlc.passes.walking import parts
from dlc.spec import syntax
from dlc.spec.source import Span

Sizes = dict[str, Size | tuple[Size, ...]]


@dataclass
class Matcher:
    """Binds the dimension names of a block's declared types to the sizes of a call.

    `scope` evaluates dimension expressions: its env holds the hyperparameters, and the dimensions bound so far.
    """

    scope: Builder
    declaration: BlockDeclaration
    span: Span

    def __post_init__(self) -> None:
        self.sizes: Sizes = {}
        self.places: dict[str, tuple[str, Span]] = {}

    def match(self, name: str, declared: syntax.TensorType, found: TensorType) -> None:
        """Binds or checks each axis of one input or state. Raises DlcError E0401 with both shapes and both places."""
        stars = [i for i, d in enumerate(declared.dimensions) if isinstance(d, syntax.StarDimension)]
        fixed = len(declared.dimensions) - len(stars)
        if found.rank != fixed and (not stars or found.rank < fixed):
            raise self._mismatch(
                name, declared, found, f"{found.rank} axes", f"{fixed} axes{' or more' if stars else ''}"
            )
        extra = found.rank - fixed
        axis = 0
        for dimension in declared.dimensions:
            if isinstance(dimension, syntax.StarDimension):
                self._bind(name, declared, found, dimension.name, found.shape[axis : axis + extra], dimension.span)
                axis += extra
            else:
                self._axis(name, declared, found, dimension, found.shape[axis])
                axis += 1

    def bind_fixed(self) -> None:
        """Binds what the types of states say themselves (`P = 5`), given or not."""
        for node in self.declaration.states:
            for dimension in node.type.dimensions:
                if isinstance(dimension, syntax.SizedDimension) and dimension.name not in self.sizes:
                    size = size_of(self.scope, dimension.size).value
                    assert isinstance(size, int | Dim)
                    self.sizes[dimension.name] = size
                    self.places[dimension.name] = (node.name, dimension.span)

    def _axis(
        self,
        name: str,
        declared: syntax.TensorType,
        found: TensorType,
        dimension: syntax.Expr | syntax.SizedDimension,
        size: Size,
    ) -> None:
        if isinstance(dimension, syntax.SizedDimension):
            wanted = size_of(self.scope, dimension.size).value
            if wanted != size:
                raise self._mismatch(
                    name, declared, found, f"{dimension.name} = {size}", f"{dimension.name} = {wanted}"
                )
            self._bind(name, declared, found, dimension.name, size, dimension.span)
            return
        if (
            isinstance(dimension, syntax.Name)
            and is_dimension_name(dimension.id)
            and (dimension.id in self.sizes or dimension.id not in self.scope.env)
        ):
            self._bind(name, declared, found, dimension.id, size, dimension.span)
            return
        unknown = unknown_names(self.scope, dimension)
        if len(unknown) > 1:
            names = ", ".join(f"`{n}`" for n in unknown)
            raise error(
                "E0407", f"{names} can't be known from this", dimension.span, expected="one unknown dimension per axis"
            )
        if unknown:
            self._solve(name, declared, found, dimension, unknown[0], size)
            return
        wanted = size_of(self.scope, dimension).value
        if wanted != size:
            shown_size = text_of(dimension)
            given = (f"{size}", f"{shown_size} = {wanted}" if shown_size != str(wanted) else str(wanted))
            raise self._mismatch(name, declared, found, *given)

    def _solve(
        self,
        name: str,
        declared: syntax.TensorType,
        found: TensorType,
        dimension: syntax.Expr,
        unknown: str,
        size: Size,
    ) -> None:
        self.scope.env[unknown] = Static(dims.symbol("?"))
        equation = size_of(self.scope, dimension).value
        del self.scope.env[unknown]
        solution = dims.solve(equation, "?", size) if isinstance(equation, Dim) else None
        if solution is None or (isinstance(solution, int) and solution < 0):
            raise self._mismatch(name, declared, found, str(size), self._fitting(dimension, unknown))
        self._bind(name, declared, found, unknown, solution, dimension.span)

    def _fitting(self, dimension: syntax.Expr, unknown: str) -> str:
        names = {part.id for part in parts(dimension) if isinstance(part, syntax.Name)} - {unknown}
        known = {name: self.scope.env.get(name) for name in sorted(names)}
        values = [f"{name} = {thing.value}" for name, thing in known.items() if isinstance(thing, Static)]
        return ", ".join([*values, f"{unknown} a whole number"])

    def _bind(
        self,
        name: str,
        declared: syntax.TensorType,
        found: TensorType,
        dimension: str,
        size: Size | tuple[Size, ...],
        span: Span,
    ) -> None:
        if dimension not in self.sizes:
            self.sizes[dimension] = size
            self.places[dimension] = (name, span)
            self.scope.env[dimension] = as_thing(size)
            return
        if self.sizes[dimension] != size:
            first, place = self.places[dimension]
            note = Note(f"`{dimension}` is {shown(self.sizes[dimension])} from `{first}`", place)
            raise self._mismatch(
                name,
                declared,
                found,
                f"{dimension} = {shown(size)}",
                f"{dimension} = {shown(self.sizes[dimension])}",
                notes=(note,),
            )

    def _mismatch(
        self,
        name: str,
        declared: syntax.TensorType,
        found: TensorType,
        got: str,
        wanted: str,
        notes: Sequence[Note] = (),
    ) -> Exception:
        shape = f"{declared.dtype}[{', '.join(text_of(d) for d in declared.dimensions)}]"
        here = Note(f"`{name}` is declared as {shape} here", declared.span)
        return error(
            "E0401",
            f"the shape of `{name}` does not fit `{self.declaration.id.name}`",
            self.span,
            found=f"{found} ({got})" if got not in str(found) else str(found),
            expected=f"{shape} ({wanted})" if wanted not in shape else shape,
            hint=shape_hint(self.declaration, name, len(declared.dimensions), found),
            notes=(here, *notes),
        )


def shown(size: Size | tuple[Size, ...]) -> str:
    return f"[{', '.join(map(str, size))}]" if isinstance(size, tuple) else str(size)


def text_of(dimension: syntax.Expr | syntax.StarDimension | syntax.SizedDimension) -> str:
    """A declared dimension as written."""
    from dlc.spec.printer import print_expression

    match dimension:
        case syntax.StarDimension(name=name):
            return f"*{name}"
        case syntax.SizedDimension(name=name, size=size):
            return f"{name} = {print_expression(size)}"
        case _:
            return print_expression(dimension)


def is_dimension_name(name: str) -> bool:
    """In a shape, a name that starts with a capital is a dimension."""
    return name[:1].isupper()


def unknown_names(scope: Builder, dimension: syntax.Expr) -> list[str]:
    """The dimension names of an expression that are not bound yet."""
    names = (node.id for node in parts(dimension) if isinstance(node, syntax.Name))
    return list(dict.fromkeys(name for name in names if is_dimension_name(name) and name not in scope.env))


def with_open(formal: Sizes, names: Sequence[str]) -> Sizes:
    """`formal` with a symbol of its own for each of `names`, which nothing in the call binds."""
    used = set(symbols_of(formal))
    full = dict(formal)
    for name in names:
        fresh = _fresh(name, used)
        used.add(fresh)
        full[name] = dims.symbol(fresh)
    return full


def require_known(scope: Builder, dimension: syntax.Expr) -> None:
    """Raises DlcError (E0407) for a dimension name that nothing has bound."""
    unknown = unknown_names(scope, dimension)
    if unknown:
        raise _unbound(unknown[0], dimension.span)


def size_of(scope: Builder, dimension: syntax.Expr) -> Static:
    """A dimension expression's size with its source. Raises DlcError where it is no size."""
    from dlc.passes.expressions import evaluate
    from dlc.passes.things import describe

    if isinstance(dimension, syntax.Name) and dimension.id not in scope.env:
        raise _unbound(dimension.id, dimension.span)
    thing = evaluate(scope, dimension)
    if isinstance(thing, Static) and (type(thing.value) is int or isinstance(thing.value, Dim)):
        if isinstance(thing.value, int) and thing.value < 0:
            raise error("E0407", "a dimension can't be negative", dimension.span, found=str(thing.value))
        return thing
    raise error(
        "E0407", "a dimension is an integer", dimension.span, found=describe(thing), expected="an integer or a size"
    )


def as_thing(size: Size | tuple[Size, ...], name: str | None = None) -> Thing:
    """A dimension's size as a thing, known by its name."""
    source = syntax.Name(name) if name else None
    if not isinstance(size, tuple):
        return Static(size, source)
    parts = (Static(s, syntax.Index(source, (syntax.Constant(i),)) if source else None) for i, s in enumerate(size))
    return Items(tuple(parts), source)


def declared_type(scope: Builder, declared: syntax.TensorType) -> TensorType:
    """A declared type with all its dimension names bound. Raises DlcError for one that is not."""
    shape: list[Size] = []
    for dimension in declared.dimensions:
        if isinstance(dimension, syntax.StarDimension):
            star = scope.env.get(dimension.name)
            if not isinstance(star, Items):
                raise _unbound(dimension.name, dimension.span)
            shape.extend(s.value for s in star.items if isinstance(s, Static) and isinstance(s.value, int | Dim))
            continue
        expression = (
            syntax.Name(dimension.name, dimension.span) if isinstance(dimension, syntax.SizedDimension) else dimension
        )
        require_known(scope, expression)
        size = size_of(scope, expression).value
        assert isinstance(size, int | Dim)
        static.check_size(size, dimension.span)
        shape.append(size)
    return TensorType(declared.dtype, tuple(shape))


def _unbound(name: str, span: Span) -> Exception:
    if not is_dimension_name(name):
        hint = f"a dimension starts with a capital: `{name.capitalize()}`; a name in lower case is a hyperparameter"
        return error("E0407", f"`{name}` is not known here", span, hint=hint)
    return error(
        "E0407",
        f"dimension `{name}` is bound by no input",
        span,
        hint="a dimension gets its size from an input's shape; a number is a hyperparameter, in lower case",
    )


def formal_sizes(sizes: Sizes, *, related: bool) -> tuple[Sizes, dict[str, Size]]:
    """The sizes that a module is elaborated for, and what its symbols are in the caller.

    Not related: each dynamic dimension name becomes a symbol of its own. Related: the caller's symbols are renamed
    by first
    use, and expressions of them stay, so that equal sizes stay equal.
    """
    if not related:
        return _independent(sizes)
    renamed: dict[str, Size] = {}
    used: set[str] = set()
    for name, size in sizes.items():
        for i, part in enumerate(_parts(size)):
            own = name if not isinstance(size, tuple) else f"{name}{i}"
            for old in dims.symbols(part):
                if old not in renamed:
                    new = own if own not in used else _fresh(old, used)
                    used.add(new)
                    renamed[old] = dims.symbol(new)
    formal: Sizes = {
        name: tuple(dims.substitute(s, renamed) for s in size)
        if isinstance(size, tuple)
        else dims.substitute(size, renamed)
        for name, size in sizes.items()
    }
    back: dict[str, Size] = {str(new): dims.symbol(old) for old, new in renamed.items()}
    return formal, back


def inverse(back: Mapping[str, Size]) -> dict[str, Size]:
    """The module's symbols by the caller's, for the related ones of `formal_sizes`."""
    return {old: dims.symbol(new) for new, size in back.items() if (old := dims.is_symbol(size)) is not None}


def _independent(sizes: Sizes) -> tuple[Sizes, dict[str, Size]]:
    formal: Sizes = {}
    back: dict[str, Size] = {}

    def own(name: str, size: Size) -> Size:
        if isinstance(size, int):
            return size
        back[name] = size
        return dims.symbol(name)

    for name, size in sizes.items():
        formal[name] = (
            tuple(own(f"{name}{i}", s) for i, s in enumerate(size)) if isinstance(size, tuple) else own(name, size)
        )
    return formal, back


def _parts(size: Size | tuple[Size, ...]) -> tuple[Size, ...]:
    return size if isinstance(size, tuple) else (size,)


def _fresh(name: str, used: set[str]) -> str:
    if name not in used:
        return name
    number = 2
    while f"{name}{number}" in used:
        number += 1
    return f"{name}{number}"


def are_related(sizes: Sizes) -> bool:
    """Whether some dynamic sizes of a call depend on each other or are expressions."""
    dynamic = [part for size in sizes.values() for part in _parts(size) if isinstance(part, Dim)]
    return len(set(dynamic)) < len(dynamic) or any(dims.is_symbol(size) is None for size in dynamic)


def homes(ports: Sequence[tuple[str, TensorType]], symbols: Sequence[str]) -> tuple[ir.Home, ...]:
    """Where each formal symbol is read at run time: the first axis that is the symbol, else one linear in it alone."""
    found: dict[str, ir.Home] = {}
    for bare in (True, False):
        for port, kind in ports:
            for axis, size in enumerate(kind.shape):
                for name in dims.symbols(size):
                    if name in found or (dims.is_symbol(size) is None) == bare:
                        continue
                    if bare or _linear(size, name):
                        found[name] = ir.Home(name, port, axis, size)
    return tuple(found[name] for name in symbols if name in found)


def _linear(size: Size, name: str) -> bool:
    found = dims.linear(size, name)
    return found is not None and isinstance(found[0], int)


def symbols_of(sizes: Mapping[str, Size | tuple[Size, ...]]) -> list[str]:
    """All symbols of a module's dimensions, each once."""
    return list(dict.fromkeys(name for size in sizes.values() for part in _parts(size) for name in dims.symbols(part)))

"""The module under construction: its values, equations, scope and place in the text."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dlc import dims, ir
from dlc.diagnostics import Diagnostic, DlcError, error
from dlc.dims import Dim
from dlc.ir import Static, TensorType
from dlc.ops import OPS
from dlc.ops.api import Op, OpError
from dlc.ops.attributes import normalise_attributes
from dlc.ops.promotion import promote
from dlc.passes import op_hints, static
from dlc.passes.no_tensor import no_tensor, several_outputs
from dlc.passes.things import BlockDeclaration, Items, Layer, Result, Tensor, Thing, Unknown, describe
from dlc.spec import syntax
from dlc.spec.source import Span

if TYPE_CHECKING:
    from dlc.passes.elaborate import Elaborator
    from dlc.passes.starts import Start


@dataclass
class Builder:
    """One module under construction.

    `env` maps names to things; `frames` and `statement` say where in the text we are. `edges` is the size of the hidden
    edge axis inside a `messages` statement, else None.
    """

    elaborator: Elaborator
    declaration: BlockDeclaration
    training: bool
    env: dict[str, Thing] = field(default_factory=dict[str, Thing])
    types: list[TensorType] = field(default_factory=list[TensorType])
    body: list[ir.Equation] = field(default_factory=list[ir.Equation])
    instances: list[ir.Instance] = field(default_factory=list[ir.Instance])
    #: What each instance was called with, and the modules that it was called through.
    instance_things: list[Mapping[str, Thing]] = field(default_factory=list[Mapping[str, Thing]])
    instance_modules: list[list[ir.Module]] = field(default_factory=list[list[ir.Module]])
    #: Whose instances the layers among these things are: an instance that was given here was made elsewhere.
    instance_owners: list[Builder] = field(default_factory=list["Builder"])
    loops: list[ir.Loop] = field(default_factory=list[ir.Loop])
    choices: list[ir.Choice] = field(default_factory=list[ir.Choice])
    frames: tuple[ir.Frame, ...] = ()
    statement: int = -1
    parameters: list[ir.Parameter] = field(default_factory=list[ir.Parameter])
    states: list[ir.State] = field(default_factory=list[ir.State])
    #: Dimension names that states alone have, the types of the block's own states with these marked, and the caller's
    #: dimensions for those of nested instances, by the instance's path and the callee's symbol.
    growing: tuple[str, ...] = ()
    patterns: dict[str, TensorType] = field(default_factory=dict[str, TensorType])
    lifted: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    #: Where states start that do not start with a number.
    starts: dict[str, Start] = field(default_factory=dict[str, "Start"])
    draws: list[ir.Draw] = field(default_factory=list[ir.Draw])
    outputs: list[ir.Port] = field(default_factory=list[ir.Port])
    next_states: dict[str, int] = field(default_factory=dict[str, int])
    next_buffers: dict[str, int] = field(default_factory=dict[str, int])
    sites: Mapping[Span, str] = field(default_factory=dict[Span, str])
    diagnostics: list[Diagnostic] = field(default_factory=list[Diagnostic])
    #: Where the hyperparameters of a call are written, by the call's place and their name.
    given_at: dict[tuple[Span, str], Span] = field(default_factory=dict[tuple[Span, str], Span])
    broken: bool = False  # a statement that the block's ports depend on has a mistake
    edges: dims.Size | None = None
    #: The dimension that a value's first axis is, by name, for values that come from the block's inputs.
    first_axes: dict[int, str] = field(default_factory=dict[int, str])
    message_nodes: tuple[Thing, Thing, Static] | None = None  # u, v and the number of targets
    sent: tuple[Tensor, Tensor, Static] | None = None  # message, its target nodes, their number

    # --- values ------------------------------------------------------------------------------------------------

    def new_value(self, kind: TensorType) -> int:
        self.types.append(kind)
        return len(self.types) - 1

    def type_of(self, tensor: Tensor) -> TensorType:
        return self.types[tensor.id]

    def emit(
        self,
        op: str,
        inputs: Sequence[int | None],
        types: Sequence[TensorType],
        span: Span,
        attributes: Sequence[tuple[str, Static]] = (),
        target: ir.Target | None = None,
    ) -> tuple[Tensor, ...]:
        """Adds an equation and returns its outputs. Raises DlcError where the module grows beyond all reason."""
        self.elaborator.spend(span, 1 + len(inputs) // 2)
        for kind in types:
            static.check_size(kind.shape, span)
        outputs = tuple(self.new_value(kind) for kind in types)
        self._follow_first_axis(op, inputs, outputs, dict(attributes))
        origin = ir.Origin(span, self.statement, self.frames)
        self.body.append(ir.Equation(op, tuple(inputs), outputs, tuple(attributes), target, origin))
        return tuple(Tensor(output) for output in outputs)

    def _follow_first_axis(
        self, op: str, inputs: Sequence[int | None], outputs: Sequence[int], attributes: Mapping[str, Static]
    ) -> None:
        """A result whose first axis is an operand's is of the same dimension; `gather` takes its indices' axis."""
        if not self.first_axes or (op.startswith("segment_") and op != "segment_softmax"):
            return
        axes = attributes.get("axes") if op == "transpose" else None
        if axes is not None and isinstance(axes.value, tuple) and axes.value[:1] != (0,):
            return
        sources = inputs[1:] if op == "gather" else inputs
        for output in outputs:
            shape = self.types[output].shape
            for source in sources:
                name = self.first_axes.get(source) if source is not None else None
                if name and source is not None and shape and self.types[source].shape[:1] == shape[:1]:
                    self.first_axes[output] = name
                    break

    def bind(self, name: str, thing: Thing, span: Span) -> None:
        """The spec's `name` stands for `thing` from here on."""
        self.env[name] = thing
        content = content_of(thing)
        if content is not None:
            self.emit("bind", (), (), span, target=ir.Bind(name, content))

    def known_symbols(self) -> set[str]:
        """The dynamic dimensions that this module can read at run time."""
        return {name for thing in self.env.values() for name in _symbols(thing)}

    @contextmanager
    def inside(self, frame: ir.Frame) -> Generator[None]:
        """Equations made here stand inside `frame`."""
        before = self.frames
        self.frames = (*before, frame)
        try:
            yield
        finally:
            self.frames = before

    @contextmanager
    def inside_nothing(self) -> Generator[None]:
        """Equations made here stand where we are."""
        yield

    # --- primitives --------------------------------------------------------------------------------------------

    def constant(self, value: Static, dtype: str, span: Span) -> Tensor:
        """A number as a tensor of rank 0. Raises DlcError E0505 where it has no room in the element type."""
        number = value.value
        if isinstance(number, Dim):
            size = self.emit("dimension", (), (TensorType("int", ()),), span, (("size", value),))[0]
            return size if dtype == "int" else self.cast(size, dtype, span)
        converted = _as_dtype(number, dtype, span)
        attributes = (("value", Static(converted, value.source)), ("dtype", Static(dtype)), ("shape", Static(())))
        return self.emit("constant", (), (TensorType(dtype, ()),), span, attributes)[0]

    def cast(self, tensor: Tensor, dtype: str, span: Span) -> Tensor:
        """The tensor in another element type; itself if it has that type."""
        kind = self.type_of(tensor)
        if kind.dtype == dtype:
            return tensor
        outputs = (TensorType(dtype, kind.shape),)
        return self.emit("cast", (tensor.id,), outputs, span, (("dtype", Static(dtype)),))[0]

    def apply(
        self, name: str, operands: Sequence[Thing], attributes: Mapping[str, Static], span: Span
    ) -> tuple[Tensor, ...]:
        """A primitive op on tensors and constants: promotes, checks, infers. Raises DlcError E04xx, E0505."""
        op = OPS[name]
        types: list[TensorType] = []
        plain: dict[str, Any] = {}
        try:
            tensors = self._promoted(op, operands, span)
            types = [self.type_of(tensor) for tensor in tensors]
            plain = {key: value.value for key, value in attributes.items()}
            for attribute in op.attributes:
                if attribute.kind != "number" or any(kind.dtype in ir.INTS for kind in types):
                    static.check_size(plain.get(attribute.name), span)
            normal = normalise_attributes(op, plain, types)
            outputs = op.infer(types, normal)
        except OpError as problem:
            raise error(
                "E0401",
                _of_op(name, problem.message),
                span,
                found=problem.found,
                expected=problem.expected,
                hint=op_hints.hint(name, types, plain) if types else None,
            ) from None
        statics = [(key, _with_source(value, attributes.get(key))) for key, value in normal.items()]
        return self.emit(name, [tensor.id for tensor in tensors], outputs, span, statics)

    def _promoted(self, op: Op, operands: Sequence[Thing], span: Span) -> list[Tensor]:
        """Operands as tensors of the element types that the op's promotion asks for."""
        things = [thing if isinstance(thing, Static) else self.tensor(thing, span) for thing in operands]
        free = 1 if op.promotion == "select" else 0
        dtypes = [self.type_of(t).dtype if isinstance(t, Tensor) else _weak_dtype(t.value, span) for t in things[free:]]
        literals = [isinstance(t, Static) for t in things[free:]]
        if op.promotion == "none":
            strong = [d for d, literal in zip(dtypes, literals, strict=True) if not literal]
            common = strong[0] if strong else dtypes[0] if dtypes else "float"
            return [t if isinstance(t, Tensor) else self.constant(t, _literal_dtype(t, common), span) for t in things]
        common = promote(dtypes, op.promotion, literals)
        result = [
            self.cast(t, common, span) if isinstance(t, Tensor) else self.constant(t, common, span)
            for t in things[free:]
        ]
        head = [t if isinstance(t, Tensor) else self.constant(t, "bool", span) for t in things[:free]]
        return head + result

    def tensor(self, thing: Thing, span: Span) -> Tensor:
        """A thing as one tensor. Raises DlcError where it is none."""
        match thing:
            case Tensor():
                return thing
            case Static(value=bool() | int() | float() | Dim()):
                return self.constant(thing, _weak_dtype(thing.value, span), span)
            case Result(outputs=outputs) if len(outputs) == 1:
                return next(iter(outputs.values()))
            case Result():
                raise several_outputs(thing, span)
            case Unknown():
                raise DlcError(())
            case _:
                raise no_tensor(thing, span)


def _of_op(name: str, message: str) -> str:
    return message if message.startswith(name) else f"{name}: {message}"


def _symbols(thing: Thing) -> tuple[str, ...]:
    match thing:
        case Static(value=Dim() as size):
            return dims.symbols(size)
        case Items(items=items):
            return tuple(name for item in items for name in _symbols(item))
        case _:
            return ()


def content_of(thing: Thing) -> ir.Content:
    """The values behind a thing, nested as its lists are; None if it holds no tensor."""
    match thing:
        case Tensor(id=number):
            return number
        case Result(outputs=outputs) if len(outputs) == 1:
            return next(iter(outputs.values())).id
        case Items(items=items):
            contents = tuple(content_of(item) for item in items)
            return contents if any(content is not None for content in contents) else None
        case _:
            return None


def is_tensor(thing: Thing) -> bool:
    """Whether a thing is a tensor, or stands for one."""
    return isinstance(thing, Tensor) or (isinstance(thing, Result) and len(thing.outputs) == 1)


def static_of(thing: Thing, span: Span) -> Static:
    """A thing as a compile-time value with its source. Raises DlcError for a tensor."""
    match thing:
        case Static():
            return thing
        case Items(items=items, source=source):
            parts = [static_of(item, span) for item in items]
            listed = syntax.ListLiteral(tuple(p.source for p in parts)) if all(p.source for p in parts) else None  # type: ignore[arg-type]
            return Static(tuple(p.value for p in parts), source or listed)
        case Unknown():
            raise DlcError(())
        case Layer(instance=instance):
            return Static(ir.LayerRef(instance))
        case _:
            raise error(
                "E0302", "a constant is needed here", span, found=describe(thing), expected="a compile-time constant"
            )


def _with_source(value: object, written: Static | None) -> Static:
    """A normalised attribute with the source that was written for it: one number for all axes is repeated per axis."""
    frozen = _frozen(value)
    if written is None or written.source is None:
        return Static(frozen)
    if isinstance(frozen, tuple) and written.value is not None:
        return Static(frozen, _repeated(frozen, written.value, written.source))
    return Static(frozen, written.source)


def _repeated(value: object, written: object, source: syntax.Expr) -> syntax.Expr | None:
    """The source of `value`, which repeats `written` or its entries: `[[a, a], [b, b]]` where `[a, b]` was written."""
    if value == written:
        return source
    if not isinstance(value, tuple):
        return None
    entries: tuple[object, ...] | None = written if isinstance(written, tuple) else None
    if entries is not None and len(entries) != len(value):
        return None
    parts = [
        _repeated(item, written, source) if entries is None else _repeated(item, entries[i], _entry(source, i))
        for i, item in enumerate(value)
    ]
    return syntax.ListLiteral(tuple(p for p in parts if p)) if all(parts) else None


def _entry(source: syntax.Expr, place: int) -> syntax.Expr:
    if isinstance(source, syntax.ListLiteral):
        return source.items[place]
    return syntax.Index(source, (syntax.Constant(place),))


def _frozen(value: object) -> object:
    return tuple(_frozen(v) for v in value) if isinstance(value, list | tuple) else value


def _weak_dtype(value: object, span: Span) -> str:
    match value:
        case bool():
            return "bool"
        case int() | Dim():
            return "int"
        case float():
            return "float"
        case _:
            raise error("E0303", "a tensor or number is needed here", span, found=describe(Static(value)))


def _literal_dtype(value: Static, common: str) -> str:
    weak = "float" if isinstance(value.value, float) else "bool" if isinstance(value.value, bool) else "int"
    return common if weak == "int" and common in (*ir.INTS, *ir.FLOATS) else weak


def _as_dtype(value: object, dtype: str, span: Span) -> object:
    if not isinstance(value, int | float):
        return bool(value)
    if dtype in ir.FLOATS:
        return static.as_float(value, span)
    if dtype in ir.INTS:
        bits = 31 if dtype == "i32" else 63
        if not -(2**bits) <= value < 2**bits:
            raise error("E0505", "this number is too large", span, expected=f"an {dtype} of {bits + 1} bits")
        return int(value)
    return bool(value)

"""How a block is called, for messages."""

from __future__ import annotations

from dlc.passes.things import BlockDeclaration


def signature(declaration: BlockDeclaration) -> str:
    """`dense(units, bias=...)(x)`."""
    hypers = ", ".join(h.name if h.default is None else f"{h.name}=..." for h in declaration.block.hyperparameters)
    inputs = ", ".join(i.name if i.default is None else f"{i.name}=..." for i in declaration.inputs)
    return f"{declaration.id.name}({hypers})({inputs})" if hypers else f"{declaration.id.name}({inputs})"


def usual_call(declaration: BlockDeclaration, values: tuple[str, ...] = ()) -> str:
    """The call that gives what must be given: `multi_head_attention(8)(query, key, value)`.

    `values` stand for the first hyperparameters.
    """
    needed = [h.name for h in declaration.block.hyperparameters if h.default is None]
    hypers = ", ".join([*values, *needed[len(values) :]])
    inputs = ", ".join(i.name for i in declaration.inputs if i.default is None)
    return f"{declaration.id.name}({hypers})({inputs})" if hypers else f"{declaration.id.name}({inputs})"

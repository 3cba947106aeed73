"""The JSON schema of YAML specs, for editors. The reader itself checks the structure, with places and hints."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter

#: YAML takes `3` and `true` for a number and a truth value; the reader takes their text.
Text = Annotated[str | int | float | bool, Field(description="text in .dl syntax")]
Name = Annotated[str, StringConstraints(pattern=r"^[^\W\d]\w*$")]
Words = Annotated[
    str,
    Field(
        description="a name (or names) to assign to, or a statement's words: `output`, `output y`, `next h`, "
        "`param w`, `state h`, `sample u`, `for` with `do`, `if` with `then` and `else`, `messages` with `do`, `send`, "
        "`aggregate m`"
    ),
]


class Block(BaseModel):
    """A block, network or train section."""

    model_config = ConfigDict(extra="forbid")

    doc: str | None = None
    hyperparameters: dict[Name, Text] = Field(
        default_factory=dict, description="`name: type`, then maybe `in low..high` and `= value`"
    )
    inputs: dict[Name, Text] = Field(default_factory=dict, description='`x: "float[N, C]"`')
    body: list[dict[Words, Any]] = Field(default_factory=list, description="statements, one key each")


class Document(BaseModel):
    """A spec for dlc: the language of .dl files with its structure in YAML."""

    model_config = ConfigDict(extra="forbid")

    doc: str | None = None
    imports: list[str] = Field(default_factory=list, description="`std.attention`, or the path of a file")
    blocks: dict[Name, Block] = Field(default_factory=dict)
    networks: dict[Name, Block | Text] = Field(default_factory=dict, description="a network, or `Y(a=1)`")
    trains: dict[Name, Block | Text] = Field(default_factory=dict)


def schema() -> dict[str, Any]:
    """As JSON Schema, draft 2020-12."""
    found = TypeAdapter(Document).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found}

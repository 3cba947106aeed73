"""From a path to scopes: the file, what it imports, and the standard library, each block parsed at its first use.

A name is looked up in the file itself, then in its imports, then in the standard library. Two imports may hold
blocks of one name; only using that name is an error.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from dlc.diagnostics import Diagnostic, DlcError, Note, did_you_mean, error
from dlc.ir import BlockId
from dlc.passes.things import BlockDeclaration
from dlc.spec import syntax
from dlc.spec.loader import empty, load
from dlc.spec.parser import parse, parse_chunk
from dlc.spec.source import Source, Span
from dlc.spec.splitter import Chunk, index

ROOT_MARKS = (".git", "pyproject.toml", "dlc.toml")


@dataclass(eq=False)
class StandardLibrary:
    """The blocks of `spec/std/*.dl` by name."""

    chunks: Mapping[str, tuple[str, Chunk]]
    sources: Mapping[str, Source]
    parametric: dict[BlockId, bool] = field(default_factory=dict[BlockId, bool])
    declarations: dict[str, BlockDeclaration] = field(default_factory=dict[str, BlockDeclaration])

    def lookup(self, name: str, span: Span | None = None) -> BlockDeclaration | None:
        """The standard block called `name`, parsed now if this is its first use."""
        if name not in self.declarations and name in self.chunks:
            file, chunk = self.chunks[name]
            block = parse_chunk(chunk)
            assert isinstance(block, syntax.Block), f"{file}: the standard library holds blocks only"
            self.declarations[name] = BlockDeclaration(BlockId(file, name), block, self)
        return self.declarations.get(name)

    def base(self, name: str) -> BlockDeclaration | None:
        """As a file's: the library holds no configurations."""
        return self.lookup(name)

    def configuration(self, name: str) -> None:
        """None: the library holds no configurations."""
        del name

    def names(self) -> list[str]:
        return list(self.chunks)


@lru_cache(maxsize=1)
def standard_library() -> StandardLibrary:
    """The library that is installed with dlc. Raises AssertionError if two files declare one name."""
    import dlc.spec

    chunks: dict[str, tuple[str, Chunk]] = {}
    sources: dict[str, Source] = {}
    for path in sorted((Path(dlc.spec.__file__).parent / "std").glob("*.dl")):
        source = Source(f"std/{path.name}", path.read_text(encoding="utf-8"))
        sources[source.name] = source
        for chunk in index(source):
            if chunk.kind not in ("block", "network"):
                continue
            assert chunk.name not in chunks, f"{chunk.name} stands in {source.name} and {chunks[chunk.name][0]}"
            chunks[chunk.name] = (source.name, chunk)
    return StandardLibrary(chunks, sources)


@dataclass(eq=False)
class FileScope:
    """One user file: its declarations, and the scopes of what it imports."""

    source: Source
    spec: syntax.Spec
    parametric: dict[BlockId, bool]
    blocks: dict[str, BlockDeclaration] = field(default_factory=dict[str, BlockDeclaration])
    configurations: dict[str, syntax.Configuration] = field(default_factory=dict[str, syntax.Configuration])
    imports: list[FileScope] = field(default_factory=list["FileScope"])

    def lookup(self, name: str, span: Span | None = None) -> BlockDeclaration | None:
        """The block called `name`; None if there is none, or a configuration is called so.

        Raises DlcError (E0204) where two imports offer the name.
        """
        homes = self._homes(name)
        if len(homes) > 1:
            raise error(
                "E0204",
                f"`{name}` stands in two imports",
                span,
                hint="rename one of them, or declare a block here that uses the one you mean",
                notes=[Note("declared here", scope.place(name)) for scope in homes],
            )
        return homes[0].blocks.get(name) if homes else standard_library().lookup(name)

    def _homes(self, name: str) -> list[FileScope]:
        """This file if it declares `name`, else the imports that do."""
        if name in self.blocks or name in self.configurations:
            return [self]
        return [scope for scope in self.imports if name in scope.blocks or name in scope.configurations]

    def place(self, name: str) -> Span:
        """Where this file declares `name`."""
        declaration = self.configurations.get(name)
        return declaration.name_span if declaration else self.blocks[name].block.name_span

    def configuration(self, name: str) -> tuple[FileScope, syntax.Configuration] | None:
        """The configuration called `name`, and the file that declares it."""
        homes = [scope for scope in self._homes(name) if name in scope.configurations]
        return (homes[0], homes[0].configurations[name]) if homes else None

    def offers(self, name: str) -> bool:
        """Whether a block or configuration of this name can be used here."""
        return bool(self._homes(name)) or name in standard_library().chunks

    def base(self, name: str) -> BlockDeclaration | None:
        """The block behind a name: its own, or that of the configuration called so. None where that is not clear."""
        scope, seen = self, set[str]()
        while (found := scope.configuration(name)) is not None and name not in seen:
            seen.add(name)
            scope, configuration = found
            value = configuration.value
            function = value.function if isinstance(value, syntax.Call) else value
            if not isinstance(function, syntax.Name):
                return None
            name = function.id
        return scope.lookup(name) if len(scope._homes(name)) < 2 else None

    def names(self) -> list[str]:
        """All names that a block of this file can use, for hints."""
        own = [n for scope in (self, *self.imports) for n in (*scope.blocks, *scope.configurations)]
        return [*own, *standard_library().names()]

    def all_sources(self) -> dict[str, Source]:
        """Sources by display name, imports and standard library included, for rendering diagnostics."""
        found = {self.source.name: self.source, **standard_library().sources}
        for scope in self.imports:
            found.update(scope.all_sources())
        return found


@dataclass(frozen=True, slots=True)
class Project:
    """A loaded file with everything that it needs."""

    path: Path
    scope: FileScope
    digest: str

    @property
    def stem(self) -> str:
        return self.path.stem


def load_project(path: str | Path, text: str | None = None) -> Project:
    """Reads a file and its imports; `text` stands for what the file holds. Raises DlcError with all mistakes."""
    main = Path(path)
    loader = _Loader(_root(main), str(main), text)
    scope = loader.load(main, str(main), ())
    if loader.diagnostics:
        raise DlcError(tuple(loader.diagnostics))
    return Project(main, scope, hashlib.sha256("\0".join(loader.texts).encode()).hexdigest())


def _root(main: Path) -> Path:
    folder = main.resolve().parent
    for candidate in (folder, *folder.parents):
        if any((candidate / mark).exists() for mark in ROOT_MARKS):
            return candidate
    return folder


@dataclass
class _Loader:
    root: Path
    main: str
    text: str | None
    scopes: dict[Path, FileScope] = field(default_factory=dict[Path, FileScope])
    diagnostics: list[Diagnostic] = field(default_factory=list[Diagnostic])
    texts: list[str] = field(default_factory=list[str])
    parametric: dict[BlockId, bool] = field(default_factory=dict[BlockId, bool])

    def load(self, path: Path, shown: str, chain: tuple[Path, ...]) -> FileScope:
        source = load(shown) if self.text is None or chain else Source(shown, self.text)
        if not source.text.strip():
            raise empty(source)
        self.texts.append(source.text)
        scope = FileScope(source, parse(source), self.parametric)
        self.scopes[path.resolve()] = scope
        self._declare(scope, path)
        for statement in scope.spec.imports:
            self._import(scope, path, statement, (*chain, path.resolve()))
        return scope

    def _declare(self, scope: FileScope, path: Path) -> None:
        seen: dict[str, syntax.Declaration] = {}
        for declaration in scope.spec.declarations:
            if declaration.name in seen:
                first = Note("first declared here", seen[declaration.name].name_span)
                self._report("E0202", f"`{declaration.name}` is declared twice", declaration.name_span, notes=(first,))
                continue
            seen[declaration.name] = declaration
            if isinstance(declaration, syntax.Configuration):
                scope.configurations[declaration.name] = declaration
            else:
                identity = BlockId(self._shown(path), declaration.name)
                scope.blocks[declaration.name] = BlockDeclaration(identity, declaration, scope)

    def _shown(self, path: Path) -> str:
        return path.resolve().relative_to(self.root).as_posix()

    def _import(self, scope: FileScope, path: Path, statement: syntax.Import, chain: tuple[Path, ...]) -> None:
        if statement.module is not None:
            self._check_module(statement)
            return
        assert statement.path is not None
        if not statement.path.isprintable():
            self._report("E0120", "no file has such a name", statement.span, found=ascii(statement.path))
            return
        target = path.parent / statement.path
        if not target.resolve().is_relative_to(self.root):
            self._report(
                "E0206",
                "an import leaves the project",
                statement.span,
                found=statement.path,
                expected=f"a file below {self.root.name}/",
            )
            return
        if target.resolve() in chain:
            names = " -> ".join(p.name for p in (*chain[chain.index(target.resolve()) :], target.resolve()))
            self._report("E0207", f"these files import each other: {names}", statement.span)
            return
        loaded = self.scopes.get(target.resolve())
        try:
            imported = loaded or self.load(target, str(target), chain)
            if imported not in scope.imports:
                scope.imports.append(imported)
        except DlcError as problem:
            self.diagnostics.extend(_placed(problem.diagnostics, statement.span))

    def _check_module(self, statement: syntax.Import) -> None:
        modules = [Path(name).stem for name in standard_library().sources]
        name = (statement.module or "").removeprefix("std.")
        if not (statement.module or "").startswith("std.") or name not in modules:
            known = [f"std.{module}" for module in modules]
            self._report(
                "E0205",
                f"there is no module `{statement.module}`",
                statement.span,
                expected="one of " + ", ".join(known),
                hint=did_you_mean(statement.module or "", known) or _framework_hint(statement.module or ""),
            )

    def _report(
        self,
        code: str,
        message: str,
        span: Span,
        *,
        found: str | None = None,
        expected: str | None = None,
        hint: str | None = None,
        notes: Sequence[Note] = (),
    ) -> None:
        self.diagnostics.append(Diagnostic(code, message, span, found, expected, hint, tuple(notes)))


def _placed(diagnostics: Sequence[Diagnostic], span: Span) -> list[Diagnostic]:
    """Diagnostics of a file that could not be read point at the import instead."""
    return [
        d if d.span else Diagnostic(d.code, d.message, span, d.found, d.expected, d.hint, d.notes) for d in diagnostics
    ]


def _framework_hint(module: str) -> str | None:
    """`import torch`."""
    from dlc.spec.syntax_hints import FRAMEWORKS

    framework = module.partition(".")[0] in FRAMEWORKS
    return "a spec imports no framework: leave the line out" if framework else None

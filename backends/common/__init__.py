"""What the Python backends share: code as a tree, names, folding, printing.

- `quote`: quasi-quotes; `names`: allocators; `layout`: the tree as text, laid out as `ruff format` does.
- `rule`: how a backend spells an op (`Rule`, `Site`, `Tools`).
- `structure`, `merge`, `form`, `prove`: modules of one block folded into one class, and the proof of it.
- `emit*`: the merged class as Python code, with what differs per backend behind `dialect.Dialect`.
"""

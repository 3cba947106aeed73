"""Proof by comparison: every backend against a NumPy reference in float64.

`verify` is in `dlc.verify.run`, what it returns in `dlc.verify.report`. Importing this package loads nothing heavy.
"""

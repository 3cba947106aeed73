# ruff: noqa: E501 - specs are made in one line each
"""Specs that would take for ever, or too much memory, or a deep stack: told or done at once, never a traceback."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from dlc.diagnostics import DlcError
from dlc.networks import elaborate
from dlc.parameters import network_parameters
from dlc.passes.resolve import load_project

SECONDS = 30  # against hangs; benchmarks/bad_input.py measures

H = "network A:\n    input x: float[N, 4]\n"
CASES = {
    "parens": H + "    output y = " + "(" * 5000 + "x" + ")" * 5000 + "\n",
    "brackets": H + "    y = " + "[" * 5000 + "x" + "]" * 5000 + "\n    output x\n",
    "indexes": H + "    y = x" + "[0]" * 5000 + "\n    output x\n",
    "calls": H + "    output y = " + "relu(" * 5000 + "x" + ")" * 5000 + "\n",
    "calls90": H + "    output y = " + "relu(" * 90 + "x" + ")" * 90 + "\n",
    "pipes": H + "    output y = x" + " -> relu" * 20000 + "\n",
    "sum": H + "    output y = x" + " + x" * 20000 + "\n",
    "sumconst": H + "    y = 1" + " + 1" * 20000 + "\n    output z = x * y\n",
    "powchain": H + "    y = 2" + " ** 1" * 3000 + "\n    output z = x * y\n",
    "neg": H + "    y = " + "-" * 5000 + "x\n    output y\n",
    "not": H + "    y = " + "not " * 5000 + "true\n    output x\n",
    "and": H + "    y = true" + " and true" * 5000 + "\n    output x\n",
    "cmp": H + "    y = 1" + " < 1" * 5000 + "\n    output x\n",
    "cond": H + "    y = " + "1 if true else " * 3000 + "2\n    output x\n",
    "attr": H + "    y = x" + ".a" * 3000 + "\n    output x\n",
    "nested blocks": "block b0:\n    input x: float[N, D]\n    output x\n"
    + "".join(f"block b{i}:\n    input x: float[N, D]\n    output x -> b{i - 1}\n" for i in range(1, 3000))
    + H
    + "    output x -> b2999\n",
    "nested blocks p": "block b0:\n    input x: float[N, D]\n    output x -> dense(D)\n"
    + "".join(f"block b{i}:\n    input x: float[N, D]\n    output x -> b{i - 1}\n" for i in range(1, 3000))
    + H
    + "    output x -> b2999\n",
    "nested 190": "block b0:\n    input x: float[N, D]\n    output x -> dense(D)\n"
    + "".join(f"block b{i}:\n    input x: float[N, D]\n    output x -> b{i - 1}\n" for i in range(1, 190))
    + H
    + "    output x -> b189\n",
    "double": "block b0:\n    input x: float[N, D]\n    output x -> dense(D)\n"
    + "".join(f"block b{i}:\n    input x: float[N, D]\n    output x -> b{i - 1} -> b{i - 1}\n" for i in range(1, 41))
    + H
    + "    output x -> b40\n",
    "double state": "block b0:\n    input x: float[N, D]\n    state h: float[N, D] = 0\n    next h = x\n    output y = h\n"
    + "".join(f"block b{i}:\n    input x: float[N, D]\n    output x -> b{i - 1} -> b{i - 1}\n" for i in range(1, 41))
    + H
    + "    output x -> b40\n",
    "double template": "block b0(f: block):\n    input x: float[N, D]\n    output x -> f -> f\n"
    + "".join(
        f"block b{i}(f: block):\n    input x: float[N, D]\n    output x -> b{i - 1}(b{i - 1}(f)) -> b{i - 1}(f)\n"
        for i in range(1, 41)
    )
    + H
    + "    output x -> b40(relu_)\nblock relu_:\n    input x: float[N, D]\n    output x -> relu\n",
    "double hyper": "block b0(k: int):\n    input x: float[N, D]\n    output x * k\n"
    + "".join(
        f"block b{i}(k: int):\n    input x: float[N, D]\n    output x -> b{i - 1}(2 * k) -> b{i - 1}(2 * k + 1)\n"
        for i in range(1, 41)
    )
    + H
    + "    output x -> b40(1)\n",
    "double list": H + "    y = [0]\n" + "    y = y + y\n" * 40 + "    output x\n",
    "double text": H + '    y = "aaaa"\n' + "    y = y + y\n" * 40 + "    output x\n",
    "double nest list": H + "    y = [0]\n" + "    y = [y, y]\n" * 40 + "    output x\n",
    "double nest list2": H + "    y = [x]\n" + "    y = [y, y]\n" * 40 + "    output x\n",
    "double source": H + "    y = 1\n" + "    y = y + y\n" * 40 + "    output x * y\n",
    "double source dim": H + "    y = N\n" + "    y = y * y + 1\n" * 40 + "    output x * y\n",
    "double if": H + "    y = 1\n" + "    y = (y if y > 0 else y) + y\n" * 40 + "    output x * y\n",
    "loops": H
    + "    for a in range(1000):\n        for b in range(1000):\n            for c in range(1000):\n                y = 3\n    output x\n",
    "loopsempty": H + "    for a in range(100000):\n        for b in range(100000):\n            y = 3\n    output x\n",
    "comp": H + "    y = [1 for a in range(100000) for b in range(100000) if false]\n    output x\n",
    "concat grow": H
    + "    xs = [x]\n    for i in range(3000):\n        xs = xs + [concat(xs, axis=0)]\n    output xs[3]\n",
    "list grow": H + "    xs = [0]\n    for i in range(50000):\n        xs = xs + [i]\n    output x\n",
    "many ifs": H + "".join("    " * (i + 1) + "if true:\n" for i in range(90)) + "    " * 91 + "x = x\n    output x\n",
    "many ifs 900": H
    + "".join("    " * (i + 1) + "if true:\n" for i in range(900))
    + "    " * 901
    + "x = x\n    output x\n",
    "huge int": H + "    output x + " + "9" * 5000 + "\n",
    "dimpow": "network A:\n    input x: float[N, M, K, L]\n    y = (N + M + K + L + 1) ** 8\n    z = y ** 8\n    output x * float(z)\n",
    "bigdims": "network A:\n    input x: float[N, 10000000000000]\n    param w: float[100000000000, 1000000000000] = 0\n    output x -> dense(1000000000)\n",
    "wide names": "network A:\n    input x: float[N, 4]\n    " + "a" * 100000 + " = x\n    output x\n",
    "many params": "block p:\n    input x: float[N, D]\n"
    + "".join(f"    param w{i}: float[D] = 0\n" for i in range(2000))
    + "    output x\n"
    + H
    + "    for i in range(200):\n        x = x -> p\n    output x\n",
    "config chain": H + "".join(f"network C{i} = {'A' if i == 0 else f'C{i - 1}'}\n" for i in range(3000)) + "",
    "self default": "block f(g: block = f):\n    input x: float[N, D]\n    output x -> g\n" + H + "    output x -> f\n",
    "omega": "block f(g: block):\n    input x: float[N, D]\n    output x -> g(g)\n" + H + "    output x -> f(f)\n",
    "omega2": "block f(g: block):\n    input x: float[N, D]\n    output x -> g(g=k(g))\nblock k(g: block):\n    input x: float[N, D]\n    output x -> f(g)\n"
    + H
    + "    output x -> f(k)\n",
    "bits": H + "    y = 2\n" + "    y = y * y\n" * 40 + "    output x * y\n",
    "str mul": H + '    y = "ab" * 10**9\n    output x\n',
    "range neg": H + "    y = range(0, -10**9, -1)\n    z = range(10**30)\n    output x\n",
    "reshape": H + "    y = reshape(x, [N] * 1000)\n    output x\n",
    "arange": H + "    y = arange(10**12)\n    output x * sum(y)\n",
    "inf": H
    + "    y = int(inf)\n    z = int(nan)\n    for i in range(int(1e300)):\n        y = 3\n    w = floor(inf)\n    output x\n",
}


@pytest.mark.parametrize("name", CASES)
def test_done_or_told(name: str, tmp_path: Path) -> None:
    path = tmp_path / "spec.dl"
    path.write_text(CASES[name], encoding="utf-8")
    start = time.monotonic()
    problem = problem_of(path)
    assert time.monotonic() - start < SECONDS
    assert problem is None or problem.diagnostics


def problem_of(path: Path) -> DlcError | None:
    """What elaboration and the list of parameters say; None where both are done."""
    try:
        for network in elaborate(load_project(path)).unit.networks:
            network_parameters(network.inference, network.training)
    except DlcError as problem:
        return problem
    return None

"""Linear programs over places on a line, solved by HiGHS (through SciPy)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Program:
    """Minimises a weighted sum of variables, all at least 0, subject to distances between pairs of them."""

    costs: list[float] = field(default_factory=list[float])
    fixed: dict[int, float] = field(default_factory=dict[int, float])
    rows: list[tuple[list[int], list[float], float]] = field(default_factory=list[tuple[list[int], list[float], float]])

    def variable(self, cost: float) -> int:
        self.costs.append(cost)
        return len(self.costs) - 1

    def cost(self, variable: int, weight: float) -> None:
        self.costs[variable] += weight

    def equal(self, variable: int, value: float) -> None:
        self.fixed[variable] = value

    def distance(self, low: int, high: int, least: float) -> None:
        """high - low >= least."""
        self.rows.append(([low, high], [1.0, -1.0], -least))

    def deviation(self, a: int, b: int, offset: float, weight: float) -> None:
        """Costs weight * |a - b - offset|."""
        size = self.variable(weight)
        self.rows.append(([a, b, size], [1.0, -1.0, -1.0], offset))
        self.rows.append(([b, a, size], [1.0, -1.0, -1.0], -offset))

    def solve(self) -> list[float]:
        """The variables' values. The simplex method: the same answer each time, and at a corner."""
        if not self.costs:
            return []
        from scipy.optimize import linprog
        from scipy.sparse import csr_array

        columns = [column for row in self.rows for column in row[0]]
        values = [value for row in self.rows for value in row[1]]
        index = [number for number, row in enumerate(self.rows) for _ in row[0]]
        bounds = [(self.fixed[n], self.fixed[n]) if n in self.fixed else (0.0, None) for n in range(len(self.costs))]
        matrix: Any = csr_array((values, (index, columns)), shape=(len(self.rows), len(self.costs)))
        limits = [row[2] for row in self.rows]
        found: Any = linprog(
            self.costs,
            A_ub=matrix if self.rows else None,
            b_ub=limits if self.rows else None,
            bounds=bounds,
            method="highs-ds",
        )
        assert found.status == 0, found.message
        return [float(value) for value in found.x]

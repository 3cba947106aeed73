"""Warm workers for all planted faults: what is sabotaged is what is compiled, so the workers stay as they are."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from dlc.verify.workers import Workers


@pytest.fixture(scope="session")
def workers() -> Iterator[Workers]:
    with Workers() as warm:
        yield warm

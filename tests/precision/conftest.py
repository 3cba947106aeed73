"""Warm workers for all precisions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from dlc.verify.workers import Workers


@pytest.fixture(scope="session")
def workers() -> Iterator[Workers]:
    with Workers() as warm:
        yield warm

"""`dlc schema`: the JSON schema of YAML specs."""

from __future__ import annotations

import json
from typing import Any


def run(options: Any) -> int:
    """Prints it."""
    from dlc.spec.yaml_schema import schema

    del options
    print(json.dumps(schema(), indent=2))
    return 0

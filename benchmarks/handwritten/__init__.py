"""What a specialist of each framework would write by hand: the baseline of `benchmarks/code_speed.py`."""

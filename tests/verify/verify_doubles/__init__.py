"""Runners that are wrong on purpose. Each module is the runner of one test double."""

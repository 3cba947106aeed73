"""dlc: a compiler for declarative deep-learning model specs."""

"""Labelloop: the active-learning labelling daemon."""

"""Votes on items: labelling functions, how they are written, applied and judged."""

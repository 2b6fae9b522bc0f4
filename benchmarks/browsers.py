"""The Chromium of this machine, for benchmarks and tests."""

import shutil

KNOWN_AS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first is the same browser without windows, menus and their pages: a page costs a fifth of the time."""
CHROMIUM = next(filter(None, map(shutil.which, KNOWN_AS)), None)
"""Path of the program; None where there is none."""

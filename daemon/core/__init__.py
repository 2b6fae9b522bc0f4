"""Pure decisions and the loops; no driver is imported here."""

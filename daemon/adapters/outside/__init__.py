"""Programs outside in which people answer: one folder or file each."""

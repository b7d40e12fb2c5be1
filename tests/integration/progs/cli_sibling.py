"""Beside the scripts: importable, because sys.path[0] is their folder."""

VALUE = "sibling"

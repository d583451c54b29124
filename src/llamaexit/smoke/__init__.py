"""Smoke tests: does the new model do here what the old one did? One check is one file in `checks`."""

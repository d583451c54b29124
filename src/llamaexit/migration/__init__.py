"""Carrying out a plan: stage, test, switch, and always a way back. See docs/explanation for why in this order."""

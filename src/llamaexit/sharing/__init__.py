"""Recipes from elsewhere: their addresses, fetching them, what is locked, and whom one trusts.

Nothing here prints or asks. What a recipe may be fetched from is decided by a `Gate`, which commit of it by `Pins`.
"""

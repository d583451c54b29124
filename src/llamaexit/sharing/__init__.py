"""Recipes from elsewhere: their addresses, fetching them, what is locked, and whom one trusts.

Nothing here prints or asks. What a recipe may be fetched from is decided by a `Gate`, which commit of it by `Pins`.
"""

LOCK_FILE = "llamaexit.lock"
"""Says what recipes and builds were looked at; in the folder of the recipe it is for (`lock`)."""

from __future__ import annotations

import pytest

from llamaexit.recipes.library import Library
from llamaexit.recipes.load import load_library


@pytest.fixture(scope="session")
def library() -> Library:
    """The built-in recipes."""
    return load_library()

"""Sphinx configuration. Pages are Markdown (MyST); the four folders are those of Diátaxis."""

from __future__ import annotations

from importlib.metadata import version as installed_version

project = "llamaexit"
author = "The llamaexit authors"
project_copyright = "The llamaexit authors"
version = release = installed_version("llamaexit")

extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = "llamaexit"
html_copy_source = False
html_show_sphinx = False

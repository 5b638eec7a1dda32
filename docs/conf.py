"""The configuration of Sphinx."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS), str(DOCS.parent)]

project = "django-wsgimatch"
author = "The django-wsgimatch maintainers"
copyright = "2026, " + author
version = release = import_module("django_wsgimatch").__version__

extensions = [
    *("apache_directives", "daemon_options", "measured"),
    *("sphinx.ext.autodoc", "sphinx.ext.intersphinx"),
]
# Copies, so that the build needs no network. Python's is that of 3.11, Django's that of 5.2: names
# that both still have. docs/contributing/releasing.rst says how to renew them.
intersphinx_mapping = {
    "python": ("https://docs.python.org/3/", "inventories/python.inv"),
    "django": ("https://docs.djangoproject.com/en/5.2/", "inventories/django.inv"),
}
# What benchmarks/ writes is included by pages, not a page itself.
exclude_patterns = ["_build", "benchmarks"]
html_theme = "furo"
html_title = f"{project} {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
pygments_style = "default"
pygments_dark_style = "github-dark"
highlight_language = "python"

autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
nitpicky = True
nitpick_ignore_regex = [
    # Aliases of types have no page.
    (r"py:.*", r"(WSGIApplication|WSGIEnvironment|(No|FileEntry)?Options)"),
    # What script_alias() and read_directives() return is for WSGIMATCH_ALIASES, not to be used.
    (r"py:.*", r"(django_wsgimatch\.entries\.)?(FilePath|Entry|FileEntry|Reloading)"),
    (r"py:.*", r"django_wsgimatch\.entry_options\.access\.(AccessEntry|BasicLogin|Requirements)"),
    (r"py:.*", r"django_wsgimatch\.entry_options\.access\.OwnAccess"),
    # What `expires` may be: reference/options has it in words.
    (r"py:.*", r"django_wsgimatch\.aliases\.lines\.expiry\.SinceChange"),
    # Made by the entry and by compile_location(), for the package's own use.
    (r"py:.*", r"(Places|Interpreters)"),
    (r"py:.*", r"django_wsgimatch\.aliases\.patterns\.pattern\.Pattern"),
]
linkcheck_ignore = [r"http://127\.0\.0\.1.*"]


def setup(app: Sphinx) -> None:
    """Give settings and options of entries a role each, as Django's own documentation does."""
    app.add_crossref_type("setting", "setting", indextemplate="pair: %s; setting")
    app.add_crossref_type("entry-option", "entry-option", indextemplate="pair: %s; option")

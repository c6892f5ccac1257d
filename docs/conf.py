"""How the site is built: ``python -m sphinx -W -j auto docs site``, with nothing from the network."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import fecnn

project = "fecnn"
author = copyright = "The fecnn founders"
version = release = fecnn.__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinxcontrib.bibtex",
    "_ext.generated",
    "_ext.links",
    "_ext.signatures",
    "_ext.streams",
    "_ext.tables",
]
exclude_patterns = ["_ext", "site"]

# Pages, which are also read on the code host.
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]
nb_execution_mode = "auto"  # pages without stored outputs are run
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True
bibtex_bibfiles = ["references.bib"]

# Docstrings.
default_role = "py:obj"
autosummary_generate = False
autodoc_member_order = "bysource"
maximum_signature_line_length = 80
napoleon_numpy_docstring = False
napoleon_use_ivar = True
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

html_theme = "furo"
html_title = "fecnn"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
pygments_style = "friendly"
pygments_dark_style = "monokai"

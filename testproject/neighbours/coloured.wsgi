"""One script, two application groups: each has a copy of its module of its own."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from place import application as application

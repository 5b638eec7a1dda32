"""
The manager's program: ``python -I run.py FOLDER ...``, where this package lies in the folder.

Python -I looks nowhere by itself. The other words are for lists of processes (``managers_of``).
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    sys.path.insert(0, sys.argv[1])
    from django_wsgimatch.daemon.manager.main import run_manager

    run_manager()

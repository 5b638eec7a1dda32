"""
Runs ``doctor.projects.project_side`` in a project's Python, which may not have this package.

The words: the file of ``daemon.group.boot``, and the folder that holds this package.
"""

import sys
from typing import Any

if __name__ == "__main__":
    sys.path[:] = [path for path in sys.path if path]
    boot: dict[str, Any] = {"__name__": "boot"}
    with open(sys.argv[1]) as file:
        exec(compile(file.read(), sys.argv[1], "exec"), boot)
    sys.meta_path.insert(0, boot["ServerPackages"]({"django_wsgimatch": sys.argv[2]}))
    from django_wsgimatch.doctor.projects.project_side import answer_questions

    answer_questions()

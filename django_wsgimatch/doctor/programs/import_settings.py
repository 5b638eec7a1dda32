"""
Imports a module as a group's process would: not from the current directory, python-path in front.

The words: the module, how many directories of a sys.path follow and replace this Python's own, and
behind them those of python-path.
"""

import importlib
import site
import sys

if __name__ == "__main__":
    sys.path[:] = [path for path in sys.path if path]
    name, count, *given = sys.argv[1:]
    own, python_path = given[: int(count)], given[int(count) :]
    sys.path[:] = own or sys.path
    for path in python_path:
        site.addsitedir(path)
    sys.path[:] = dict.fromkeys([*python_path, *sys.path])
    importlib.import_module(name)

"""Prints a Python's version, and which of the files named on the command line it may not read."""

import os
import sys

if __name__ == "__main__":
    print(*sys.version_info[:2])
    print(*(path for path in sys.argv[1:] if not os.access(path, os.R_OK)), sep="\n")

"""
Puts ``django_wsgimatch.pth`` beside the package: setup.cfg, which holds all else, cannot.

Python reads the file where it starts. It lets root's ``manage.py wsgimatch`` become another user
before manage.py loads the project's settings; for every other command it does nothing.
"""

from __future__ import annotations

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

NAME = "django_wsgimatch.pth"


class BuildWithHook(build_py):
    """Builds the package, and puts the file beside it."""

    def run(self) -> None:
        super().run()
        # An editable installation is a developer's: it has no place for further files.
        if not self.editable_mode:
            self.copy_file(str(Path(__file__).with_name(NAME)), str(Path(self.build_lib, NAME)))

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        return [*super().get_outputs(include_bytecode), str(Path(self.build_lib, NAME))]


setup(cmdclass={"build_py": BuildWithHook})

"""A tenant: its folder is its name, its process its own."""

from place import application as application

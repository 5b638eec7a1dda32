"""
What runs as root, for a moment, before this process becomes another user or another program.

Nothing here imports Django, gunicorn or anything of a project, and nothing reads settings.
"""

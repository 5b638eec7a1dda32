from __future__ import annotations

import os
import platform

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from testproject.answers import explain, sections

# URLs worth a look; which alias takes which of them is the resolver's to say.
EXAMPLES = (
    "/photologue/gallerylist/",
    "/admin/",
    "/files/static/testproject/site.css",
    "/api/",
    "/api/dusk/",
    "/wsgi-scripts/hello",
    "/wsgi-scripts/hello/you",
    "/wsgi-scripts/environ/some/path?query=yes",
    "/wsgi-scripts/counter",
    "/wsgi-scripts/nobody",
    "/guestbook/",
    "/elsewhere/",
    "/red/",
    "/blue/",
    "/tenant-amber/some/path",
    "/",
)


# What runs in other places: where it is, what it is, and in which place its alias puts it.
NEIGHBOURS = (
    ("/guestbook/", "Guestbook", "an unrelated Django project in a process group, two processes"),
    ("/elsewhere/", "Elsewhere", "a project in another virtual environment, stopped when idle"),
    ("/red/", "Red", "a script in an application group"),
    ("/blue/", "Blue", "the same script in another application group"),
    ("/tenant-amber/", "Tenant amber", "one of many behind one alias: at most two live at once"),
    ("/tenant-birch/", "Tenant birch", "the same alias, another folder"),
)


def front(request: HttpRequest) -> HttpResponse:
    url = request.GET.get("url", "")
    return render(
        request,
        "front.html",
        {
            "url": url,
            "asked": explain(url) if url else None,
            "sections": sections(EXAMPLES),
            "neighbours": NEIGHBOURS,
            "here": {"pid": os.getpid(), "python": platform.python_version()},
            "server": request.META.get("SERVER_SOFTWARE", "a WSGI server"),
        },
    )

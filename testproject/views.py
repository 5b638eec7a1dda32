from __future__ import annotations

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
    "/",
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
            "server": request.META.get("SERVER_SOFTWARE", "a WSGI server"),
        },
    )

"""A page of Django's, as small as a real one: a URL, a view, a template with a loop and a form."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path


def page(request: HttpRequest, name: str) -> HttpResponse:
    entries = [f"entry {number}" for number in range(20)]
    return render(request, "page.html", {"title": name, "entries": entries})


urlpatterns = [path("page/<path:name>", page), path("<path:name>", page)]

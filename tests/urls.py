from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path


def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse("hello from Django", content_type="text/plain")


urlpatterns: list[URLPattern] = [path("hello/", hello)]

"""The fallback: Django itself, answering every URL as the scripts do."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.urls import re_path
from echo import facts


def fallback(request: HttpRequest) -> JsonResponse:
    return JsonResponse(facts("fallback", request.META))


urlpatterns = [re_path("", fallback)]

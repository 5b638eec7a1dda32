from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.contrib.staticfiles.views import serve as serve_static
from django.urls import URLPattern, URLResolver, include, path
from django.views.static import serve

from testproject import api, views

# Django's own file views keep the site down to two commands. They are made for development:
# a real site leaves /files to the server in front or to WhiteNoise.
urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.front, name="front"),
    path("admin/", admin.site.urls),
    path("api/", api.galleries, name="api"),
    path("api/<slug:slug>/", api.gallery, name="api-gallery"),
    path("files/static/<path:path>", serve_static, {"insecure": True}),
    path("files/media/<path:path>", serve, {"document_root": settings.MEDIA_ROOT}),
    path("photologue/", include("photologue.urls", namespace="photologue")),
]

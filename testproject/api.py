"""The galleries as JSON, under /api: the URLs that the second alias takes."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from photologue.models import Gallery


def galleries(request: HttpRequest) -> JsonResponse:
    public = Gallery.objects.on_site().is_public()
    return JsonResponse(
        {
            "galleries": [
                {
                    "title": gallery.title,
                    "url": request.build_absolute_uri(reverse("api-gallery", args=[gallery.slug])),
                }
                for gallery in public
            ]
        }
    )


def gallery(request: HttpRequest, slug: str) -> JsonResponse:
    found = get_object_or_404(Gallery.objects.on_site().is_public(), slug=slug)
    return JsonResponse(
        {
            "title": found.title,
            "photos": [
                {"title": photo.title, "image": request.build_absolute_uri(photo.image.url)}
                for photo in found.public()
            ],
        }
    )

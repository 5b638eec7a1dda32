from __future__ import annotations

from django.forms import modelform_factory
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from place import facts

from guestbook.models import Entry

EntryForm = modelform_factory(Entry, fields=["name", "text"])


def entries(request: HttpRequest) -> HttpResponse:
    """Show what has been written, newest first, and take what is new."""
    form = EntryForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        return redirect("entries")
    context = {"entries": Entry.objects.all()[:50], "form": form, "facts": facts(request.META)}
    return render(request, "entries.html", context)


def place(request: HttpRequest) -> JsonResponse:
    """Say which process answers."""
    return JsonResponse(facts(request.META))

from __future__ import annotations

from django.db import models


class Entry(models.Model):
    """What a guest has written."""

    name = models.CharField(max_length=60)
    text = models.CharField(max_length=300)
    written = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-written"]

    def __str__(self) -> str:
        return f"{self.name}: {self.text}"

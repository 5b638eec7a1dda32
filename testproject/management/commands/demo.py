from __future__ import annotations

from io import BytesIO
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.sites.models import Site
from django.core.files.base import ContentFile
from django.core.management.base import BaseCommand, CommandParser
from photologue.models import Gallery, Photo, PhotoSize

from testproject.neighbourhood import prepare_elsewhere, prepare_guestbook
from testproject.pictures import draw_landscape
from testproject.secret import kept_secret

# Title of a gallery -> hue of its pictures, titles of the pictures.
GALLERIES = {
    "Morning": (0.0, ("First light", "Cold tea", "Long valley", "Two crows", "Dew", "Fog lifts")),
    "Noon": (0.48, ("Blue", "Salt lake", "Nobody about", "High pass", "Glare", "Windmill hill")),
    "Dusk": (0.74, ("Last bus", "Violet", "Smoke signals", "The way home", "Lamps", "Late")),
}
PHOTO_SIZES = {
    "admin_thumbnail": {"width": 120, "height": 80, "crop": True, "pre_cache": True},
    "thumbnail": {"width": 360, "height": 240, "crop": True, "pre_cache": True},
    "display": {"width": 960, "height": 0, "crop": False, "pre_cache": True},
}


class Command(BaseCommand):
    help = "Fills the site with galleries and an administrator; what is there already stays."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--address", default="", help="where the site will be served")

        parser.add_argument(
            "--no-elsewhere",
            action="store_false",
            dest="elsewhere",
            help="make no virtual environment for the neighbour that has another Python",
        )

    def handle(self, *args: Any, address: str, elsewhere: bool, **options: Any) -> None:
        for name, values in PHOTO_SIZES.items():
            PhotoSize.objects.update_or_create(name=name, defaults=values)
        for title, (hue, titles) in GALLERIES.items():
            fill_gallery(title, hue, titles)
        prepare_guestbook()
        self.stdout.write(f"  Elsewhere    {prepare_elsewhere(build=elsewhere)}")
        password = keep_administrator()
        self.stdout.write(f"\n  The site     {address}/")
        self.stdout.write(f"  Its admin    {address}/admin/   user admin, password {password}\n\n")


def fill_gallery(title: str, hue: float, titles: tuple[str, ...]) -> None:
    gallery, is_new = Gallery.objects.get_or_create(
        slug=title.lower(),
        defaults={"title": title, "description": "Drawn by testproject/pictures.py."},
    )
    if is_new:
        site = Site.objects.get_current()
        gallery.sites.add(site)
        for position, photo_title in enumerate(titles):
            photo = make_photo(photo_title, hue + 0.02 * position)
            photo.sites.add(site)
            gallery.photos.add(photo)


def make_photo(title: str, hue: float) -> Photo:
    slug = title.lower().replace(" ", "-")
    jpeg = BytesIO()
    draw_landscape(title, hue).save(jpeg, "JPEG", quality=88)
    photo = Photo(title=title, slug=slug)
    photo.image.save(f"{slug}.jpg", ContentFile(jpeg.getvalue()), save=False)
    photo.save()
    return photo


def keep_administrator() -> str:
    """Make sure that user admin has the kept password, and return it."""
    password = kept_secret(settings.VAR_DIR / "admin-password")
    user, _ = get_user_model().objects.get_or_create(
        username="admin", defaults={"is_staff": True, "is_superuser": True}
    )
    if not user.check_password(password):
        user.set_password(password)
        user.save()
    return password

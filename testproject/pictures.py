"""Landscapes out of nothing: each name gives one picture, always the same."""

from __future__ import annotations

import colorsys
import math
import random
from collections.abc import Iterator

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

SIZE = WIDTH, HEIGHT = 960, 640
RIDGES = 6

Colour = tuple[int, int, int]


def draw_landscape(name: str, hue: float) -> Image.Image:
    """Draw a sky of a hue (0 to 1, as in HSV), a sun and ridges that darken as they come near."""
    rng = random.Random(name)
    picture = sky(hue)
    picture = add_sun(picture, rng, hue)
    for nearness in range(1, RIDGES + 1):
        share = nearness / RIDGES
        shape = Image.new("L", SIZE)
        ImageDraw.Draw(shape).polygon(list(ridge(rng, share)), fill=255)
        haze = shape.filter(ImageFilter.GaussianBlur(1.5 * (1 - share) + 0.8))
        picture.paste(hsv(hue + 0.08 * share, 0.25 + 0.45 * share, 0.85 - 0.7 * share), mask=haze)
    return picture


def sky(hue: float) -> Image.Image:
    gradient = Image.linear_gradient("L").resize(SIZE)
    return ImageOps.colorize(gradient, hsv(hue, 0.65, 0.55), hsv(hue + 0.12, 0.25, 1.0))


def add_sun(picture: Image.Image, rng: random.Random, hue: float) -> Image.Image:
    centre = rng.uniform(0.2, 0.8) * WIDTH, rng.uniform(0.2, 0.45) * HEIGHT
    for radius, value in ((135, 0.25), (48, 1.0)):
        light = Image.new("RGB", SIZE)
        ImageDraw.Draw(light).circle(centre, radius, fill=hsv(hue + 0.15, 0.2, value))
        picture = ImageChops.screen(picture, light.filter(ImageFilter.GaussianBlur(radius / 6)))
    return picture


def ridge(rng: random.Random, share: float) -> Iterator[tuple[float, float]]:
    """The outline of a ridge, from corner to corner: a sum of waves, longer ones higher."""
    waves = [(rng.uniform(0.6, 1.4) * 2**n, rng.uniform(0, math.tau)) for n in range(6)]
    yield 0, HEIGHT
    for x in range(0, WIDTH + 8, 8):
        rise = sum(
            math.sin(math.tau * length * x / WIDTH + phase) / length for length, phase in waves
        )
        yield x, HEIGHT * (0.42 + 0.5 * share - 0.06 * rise)
    yield WIDTH, HEIGHT


def hsv(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1, saturation, value)
    return round(255 * red), round(255 * green), round(255 * blue)

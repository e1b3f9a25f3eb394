"""What the shop sells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_MATERIALS = (
    ("Oak", "solid oak, oiled by hand", 130),
    ("Walnut", "dark walnut with a fine grain", 160),
    ("Bamboo", "light and quickly regrown bamboo", 90),
    ("Steel", "brushed stainless steel", 110),
    ("Copper", "copper that ages well", 150),
    ("Ceramic", "glazed stoneware, safe in the dishwasher", 100),
    ("Glass", "blown borosilicate glass", 95),
    ("Linen", "washed European linen", 105),
    ("Wool", "undyed merino wool", 140),
    ("Cork", "natural Portuguese cork", 85),
    ("Leather", "vegetable-tanned leather", 170),
    ("Recycled", "entirely recycled material", 80),
)
_THINGS = (
    ("Tray", 2490), ("Lamp", 7900), ("Stool", 8900), ("Clock", 4550), ("Box", 1995),
    ("Coaster Set", 1290), ("Bookend", 2750), ("Pen Holder", 1575), ("Photo Frame", 2199),
    ("Wall Hook", 999), ("Plant Pot", 1849), ("Phone Stand", 1399), ("Laptop Riser", 5450),
    ("Desk Mat", 3890), ("Cable Tidy", 749), ("Key Rack", 2325), ("Letter Tray", 2960),
    ("Mirror", 6480), ("Candle Holder", 1680), ("Bottle", 2235), ("Mug", 1450), ("Bowl", 1925),
    ("Lunch Box", 2899), ("Cushion", 3275), ("Shelf", 9950), ("Notebook Cover", 2675),
    ("Toothbrush Cup", 1125),
)  # fmt: skip

PRODUCTS: Final[Sequence[tuple[str, str, int]]] = [
    (
        f"{material} {thing}",
        f"{thing} made of {made_of}.",
        cents * percent // 100,
    )
    for thing, cents in _THINGS
    for material, made_of, percent in _MATERIALS
]
"""Name, description and price (cents) of each."""

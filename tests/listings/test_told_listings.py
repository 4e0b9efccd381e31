"""The page "Which ResNet did you copy?" tells every listing, as the tests hold it."""

from collections import Counter

from every import FAMILIES, LISTINGS
from told import PAGE, SECTIONS, merged, renewed, table


def test_every_listing_stands_in_one_section():
    assert Counter(family for found in SECTIONS.values() for family in found) == Counter(FAMILIES)


def test_the_page_is_fresh():
    page = PAGE.read_text(encoding="utf-8")
    assert renewed(page) == page, "`python tests/listings/told.py` renews it; read its diff"
    assert f"\n{len(LISTINGS)} listings" in page
    for section in SECTIONS:
        assert "\n".join(table(section)) in page


def test_differences_that_are_told_once_keep_their_places():
    for listing in LISTINGS.values():
        told = merged(listing.differences)
        assert sum(each.times for each in told) == sum(each.times for each in listing.differences)

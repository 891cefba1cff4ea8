"""A server that was just started, and whose first visitor does not begin with the map."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import Watch


def test_first_page_after_a_start_is_whole(open_page: Callable[..., tuple[Page, Watch]]) -> None:
    page, seen = open_page(path="/due")

    expect(page.get_by_role("heading", name="Due list")).to_be_visible()

    assert page.locator("link[rel=stylesheet][href*='brimwatch']").count() == 1
    assert seen.complaints == []

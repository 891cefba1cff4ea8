from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, Site, Watch, bins_on_map, marks_in_view, until
from tests.conftest import run_module

BINS = ROOT.parent / "shared" / "data" / "edinburgh" / "litter_bins.csv"
PICTURES = ROOT / "build" / "screenshots"

pytestmark = pytest.mark.skipif(not BINS.exists(), reason="the council's data is not beside this checkout")


def test_real_city_is_on_the_map(open_page: Callable[..., tuple[Page, Watch]], site: Site) -> None:
    run_module("ingest", "bins", "import", str(BINS), env=site.env)

    page, seen = open_page(width=1600, height=1000)
    until(lambda: marks_in_view(page) > 3000, "the bins are drawn")

    assert sum(len(trace) for trace in bins_on_map(page)) == 3217
    expect(page.get_by_role("button", name="No sensor")).to_contain_text("3,217")
    PICTURES.mkdir(parents=True, exist_ok=True)
    picture = Path(PICTURES / "edinburgh.png")
    page.screenshot(path=picture)
    assert picture.stat().st_size > 40_000
    assert (seen.complaints, seen.strangers) == ([], [])

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from dashboard import map as bins_map
from tests.browser.conftest import PATIENCE_S, Site, Watch, bins_on_map, map_is_drawn, sign_in, until, watch
from tests.integration.dashboard import town

Opener = Callable[..., tuple[Page, Watch]]
BINS = 120
# A colour that is on its way to another has the contrast of neither; what moves for ever is there to be seen so.
COLOURED = """() => document.getAnimations().every(
    one => one.playState !== 'running' || one.effect.getComputedTiming().iterations === Infinity)"""
FITS = "() => document.documentElement.scrollWidth <= window.innerWidth"


@pytest.fixture(scope="module", autouse=True)
def bins(site: Site) -> list[int]:
    """A town in all states, the first bin with a history."""
    with site.connect() as conn:
        ids = town.add_town(conn, BINS)
        town.add_history(conn, ids[0])
        # After its sensor was heard, or the pages would say that nobody assesses what it said.
        town.set_state(conn, ids[:1], town.State(fill_level=0.42, explanation="42% full."))
        town.set_state(conn, ids[1:2], town.FULL)
        town.add_alert(conn, ids[1], "fire", "74 °C inside: it may be on fire.")
        town.add_alert(conn, ids[2], closed=True)
        for number, use in enumerate(town.USES):
            town.add_use(conn, ids[2 + number : 82 : len(town.USES)], use)
    return ids


def violations(page: Page) -> list[tuple[str, str]]:
    until(lambda: bool(page.evaluate(COLOURED)), "colours have stopped changing")
    found = Axe().run(page).response["violations"]
    return [(item["id"], item["nodes"][0]["html"][:200]) for item in found if "wcag" in "".join(item["tags"])]


def open_map(open_page: Opener, **window: object) -> tuple[Page, Watch]:
    page, seen = open_page(**window)
    until(lambda: map_is_drawn(page), "the map is drawn")
    return page, seen


def test_sign_in_leads_to_the_map_and_sign_out_away(browser: Browser, site: Site) -> None:
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_S * 1000)
    seen = watch(page, site)

    page.goto(site.url)
    found = violations(page)
    sign_in(page, site)
    page.wait_for_url(f"{site.url}/")
    page.get_by_role("button", name="Sign out").click()

    page.wait_for_url(f"{site.url}/login")
    page.goto(f"{site.url}/due")
    expect(page.get_by_role("heading", name="Brimwatch")).to_be_visible()
    assert (found, seen.strangers) == ([], [])
    page.close()


def test_map_shows_every_bin_and_lifts_out_the_due_ones(open_page: Opener, site: Site) -> None:
    page, seen = open_map(open_page)

    traces = bins_on_map(page)
    with site.connect() as conn:
        must = {row[0] for row in conn.execute("select ref from bin_status where due_class = 'must_go'")}
    assert len(traces[bins_map.UNKNOWN]) + len(traces[bins_map.KNOWN]) == BINS
    assert set(traces[bins_map.MUST_GO]) == must
    assert "B-0002" in must
    expect(page.get_by_role("button", name="Must go")).to_contain_text(str(len(must)))
    expect(page).to_have_title("Map · Brimwatch")
    expect(page.locator("#map-scale")).to_contain_text("m")
    assert (seen.complaints, seen.strangers) == ([], [])


def test_change_appears_without_reload(open_page: Opener, site: Site, bins: list[int]) -> None:
    page, seen = open_map(open_page)
    page.evaluate("() => { window.notReloaded = true; }")
    expect(page.locator("#map-list")).not_to_contain_text("B-0001")

    with site.connect() as conn:
        town.set_state(conn, bins[:1], town.State("ALERT", "must_go", 100, "ok", 0.5, "There may be a fire."))

    expect(page.locator("#map-list")).to_contain_text("There may be a fire.")
    until(lambda: "B-0001" in bins_on_map(page)[bins_map.MUST_GO], "the map marks it")
    assert page.evaluate("() => window.notReloaded")
    assert seen.complaints == []
    with site.connect() as conn:
        town.set_state(conn, bins[:1], town.State(fill_level=0.42, explanation="42% full."))


def test_bin_is_found_chosen_and_opened_by_keyboard(open_page: Opener) -> None:
    page, seen = open_map(open_page)

    page.get_by_label("Find a bin").fill("B-0001")
    row = page.locator("#map-list .ag-row").first
    expect(row).to_contain_text("B-0001")
    row.locator(".ag-cell").focus()
    page.keyboard.press("Space")

    link = page.get_by_role("link", name="History and details")
    expect(link).to_be_visible()
    link.press("Enter")
    page.wait_for_url("**/bins/B-0001")
    expect(page.locator("#bin-graph .js-plotly-plot")).to_be_visible()
    expect(page.get_by_text("42% full.")).to_be_visible()
    expect(page.get_by_role("heading", name="Emptyings")).to_be_visible()
    expect(page.get_by_role("region", name="Newest readings")).to_contain_text("Rejected")
    assert (seen.complaints, seen.strangers) == ([], [])


def test_bin_page_says_what_is_wrong_at_the_bin_and_draws_its_level(open_page: Opener) -> None:
    page, seen = open_page(path="/bins/B-0002")
    wrong = page.locator(".bin-alert")

    expect(wrong).to_have_count(1)
    expect(wrong).to_contain_text("Fire since")
    expect(wrong).to_contain_text("74 °C inside: it may be on fire.")
    graph = page.locator("#bin-graph .plot-container").first.bounding_box()
    assert graph
    assert graph["height"] >= 300
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(page.url.replace("B-0002", "B-0001"))
    expect(page.locator("#bin-graph .legend").get_by_text("Emptied")).to_be_visible()
    page.goto(page.url.replace("B-0001", "B-0003"))
    expect(page.locator("#bin-head")).to_be_visible()
    expect(wrong).to_have_count(0)
    assert seen.complaints == []


def test_filter_for_forecasts_is_there_once_a_bin_has_one(open_page: Opener, site: Site, bins: list[int]) -> None:
    page, _ = open_map(open_page)
    wish = page.locator("#map-reasons, .reasons").get_by_text("Soon full", exact=True)
    assert wish.count() == 0

    with site.connect() as conn:
        town.set_state(conn, bins[:1], town.MAY_OVERFLOW)
    until(lambda: "B-0001" in bins_on_map(page)[bins_map.MAY_GO], "the map marks it")
    page.reload()
    wish.click()

    rows = page.locator("#map-list .ag-center-cols-container .ag-row")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("B-0001")
    with site.connect() as conn:
        town.set_state(conn, bins[:1], town.State(fill_level=0.42, explanation="42% full."))


def test_tile_narrows_map_and_list(open_page: Opener) -> None:
    page, _ = open_map(open_page)

    page.get_by_role("button", name="Must go").click()

    until(lambda: not bins_on_map(page)[bins_map.MAY_GO], "only bins that must go are left")
    expect(page.get_by_role("button", name="Must go")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#map-list")).not_to_contain_text("Long since emptied")


def test_places_say_where_and_when_most_is_thrown_in_and_what_to_change(open_page: Opener) -> None:
    page, seen = open_page(path="/places")
    page.locator("#places-heat .hm").first.wait_for()

    more, fewer = page.locator(".advice-more_visits"), page.locator(".advice-fewer_visits")
    expect(more.locator(".advice-count")).to_have_text("10")
    expect(fewer.locator(".advice-count")).to_have_text("20")
    expect(fewer).to_contain_text("Emptied 28 times in 4 weeks, on average 20% full: every 4 days would do.")
    expect(page.locator("#places-when-words")).to_contain_text("Everywhere: most on")

    page.get_by_placeholder("All streams").click()
    page.get_by_role("option", name="Glass").click()
    expect(page.locator("#places-summary")).not_to_contain_text("80 bins")
    fewer.get_by_role("link").first.click()
    page.wait_for_url("**/bins/B-*")
    assert (seen.complaints, seen.strangers) == ([], [])


def test_unknown_bin_is_a_friendly_404(open_page: Opener, site: Site) -> None:
    page, _ = open_page()

    answer = page.goto(f"{site.url}/bins/NOPE")

    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_role("heading", name="There is no bin NOPE")).to_be_visible()


@pytest.mark.parametrize("path", ["/", "/due", "/alerts", "/bins/B-0001", "/places", "/devices"])
def test_page_is_accessible_in_light_and_dark_and_fits_a_phone(open_page: Opener, path: str) -> None:
    page, seen = open_page(width=390, height=844, path=path)
    page.locator(".page, .map-page").wait_for()
    # A grid draws its rows before its cells, header and body one after the other.
    for part in (".ag-header-cell, .card th, .advice", ".ag-cell, .card td, .advice li"):
        page.locator(part).first.wait_for(state="attached")

    light = violations(page)
    page.get_by_role("button", name="Switch between light and dark").click()
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")
    dark = violations(page)

    assert (light, dark) == ([], [])
    until(lambda: bool(page.evaluate(FITS)), "the page fits")
    assert seen.complaints == []


def test_only_a_manager_acknowledges_an_alert(open_page: Opener, site: Site) -> None:
    page, seen = open_page(path="/alerts")
    rows = page.locator("#alerts-grid .ag-center-cols-container .ag-row")
    expect(rows).to_have_count(2)
    expect(page.locator("#alerts-summary")).to_contain_text("1 open, of which nobody has acknowledged 1; 1 closed")
    expect(page.get_by_text("Nobody yet")).to_be_visible()
    press = "() => window.dash_clientside.set_props('alerts-pressed', {data: '1'})"
    with page.expect_response(lambda answer: "alerts-pressed" in (answer.request.post_data or "")):
        page.evaluate(press)
    assert acknowledged_by(site) == [None]

    with site.connect() as conn:
        conn.execute("update users set role = 'manager'")
    page.reload()
    button = page.get_by_role("button", name="Acknowledge: Fire")
    button.press("Enter")

    expect(page.locator("#alerts-summary")).to_contain_text("nobody has acknowledged 0")
    expect(button).to_have_count(0)
    assert acknowledged_by(site) == ["manager"]
    assert seen.complaints == []


def test_manager_answers_a_proposed_calibration(open_page: Opener, site: Site, bins: list[int]) -> None:
    with site.connect() as conn:
        conn.execute("update users set role = 'manager'")
        [(device,)] = conn.execute("select device from bin_status where id = %s", bins[:1])
        town.add_proposal(conn, device)
    page, seen = open_page(path="/devices")
    proposed = page.get_by_role("region", name="Distances that may be wrong")
    expect(proposed).to_contain_text("The sensor sees 1,310 mm in the emptied bin, not 1,150 mm (20 emptyings, ")
    proposed.get_by_role("link", name="B-0001").click()
    page.wait_for_url("**/bins/B-0001")
    expect(page.get_by_text("Accepting sets empty to 1,310 mm and full to 310 mm, in the past, too.")).to_be_visible()

    page.get_by_role("button", name=f"Accept: {device}").press("Enter")

    expect(page.get_by_text("manager accepted this; it takes effect in a moment.")).to_be_visible()
    with site.connect() as conn:
        assert conn.execute("select answer from bin_proposals").fetchall() == [("accept",)]
        conn.execute("update calibration_checks set known_empty_mm = 0")
    expect(page.locator(".proposal")).to_have_count(0, timeout=20_000)
    assert seen.complaints == []


def test_sensor_that_hands_over_its_past_is_seen_to_be_silent(open_page: Opener, site: Site, bins: list[int]) -> None:
    with site.connect() as conn:
        town.set_state(conn, bins[:1], town.SILENT)
        conn.execute("update device_state set last_measured_at = now() - interval '3 days 1 hour'")
        conn.execute("insert into devices (ref) values ('new')")
        conn.execute(
            "insert into fittings (device_id, bin_id, fitted_at, empty_mm, full_mm)"
            " select id, %s, now(), 1150, 150 from devices where ref = 'new'",
            bins[1:2],
        )
    page, seen = open_page(path="/devices")

    expect(page.locator("#devices-summary")).to_have_text(
        "2 sensors; 1 silent; 1 never heard; 0 whose readings cannot be believed."
    )
    expect(page.locator(".ag-row", has_text="Silent")).to_contain_text("Silent3 d ago")
    expect(page.locator(".ag-row", has_text="Never heard")).to_contain_text("Never heardnevernever")
    assert seen.complaints == []


def acknowledged_by(site: Site) -> list[str | None]:
    with site.connect() as conn:
        return [row[0] for row in conn.execute("select acknowledged_by from alert_list where type = 'fire'")]


def test_last_known_state_stays_when_the_server_is_gone(open_page: Opener) -> None:
    page, _ = open_map(open_page)
    page.route("**/*", lambda route: route.abort())

    # By the page's own clock: timers that run already do not follow one that is put in later.
    expect(page.get_by_text("Brimwatch does not answer. What you see is from")).to_be_visible()
    assert sum(len(trace) for trace in bins_on_map(page)) >= BINS

    page.unroute("**/*")
    expect(page.locator("#banner")).to_be_empty()


def test_silence_of_the_assessment_is_said(open_page: Opener, site: Site) -> None:
    page, _ = open_page(path="/due")
    expect(page.locator("#banner")).to_be_empty()

    with site.connect() as conn:
        conn.execute("update device_state set last_received_at = now() - interval '10 minutes'")
        conn.execute("update bin_state set assessed_at = now() - interval '20 minutes'")

    expect(page.get_by_text("Levels have not been worked out since")).to_be_visible()
    with site.connect() as conn:
        conn.execute("update bin_state set assessed_at = now()")
    expect(page.locator("#banner")).to_be_empty()

"""`/usage` and `/places`: what is thrown in where and when, and what that advises."""

from datetime import date, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from dashboard.api import use_models
from tests.integration.dashboard import town

pytestmark = pytest.mark.anyio
MONDAY = date(2026, 3, 2)


async def get(api: httpx.AsyncClient, path: str, **params: Any) -> Any:
    answer = await api.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def add_days(owner: psycopg.Connection, bin_id: int, litres: dict[date, dict[int, float]], full_h: float = 0) -> None:
    """Days of which the hours from 0 to 11 are known, or only some of them full."""
    for day, hours in litres.items():
        values = [hours.get(hour, 0.0) for hour in range(24)]
        observed = [1.0 - full_h / 12] * 12 + [0.0] * 12
        spread = [0.0] * 23 + [1.0]
        owner.execute(
            "insert into usage_days values (%s, %s, %s, %s, %s, %s, %s, %s, 1, %s)",
            (
                bin_id,
                day,
                values,
                observed,
                spread,
                [full_h / 12] * 12 + [0.0] * 12,
                sum(values),
                sum(observed),
                full_h,
            ),
        )


def add_streets(owner: psycopg.Connection) -> None:
    """Three bins: two of Quay Road, one of them by its USRN, one of Mill Lane; wards for two."""
    town.add_bins(owner, 3)
    owner.execute("insert into areas (ref, name) values ('w1', 'Harbour'), ('w2', 'Priory')")
    owner.execute("update bins set location = 'Quay Road, bakery', stream = 'general', area_id = 1 where id = 1")
    owner.execute("update bins set location = 'Quay Road, pier', stream = 'glass', area_id = 2 where id = 2")
    owner.execute("update bins set location = 'Mill Lane', stream = 'general', usrn = 1234567 where id = 3")
    add_days(owner, 1, {MONDAY: {9: 10.0}, MONDAY + timedelta(days=1): {9: 30.0}})
    add_days(owner, 2, {MONDAY: {10: 5.0}})
    add_days(owner, 3, {MONDAY: {9: 20.0}}, full_h=6)


SPAN = {"from": "2026-03-02", "to": "2026-03-03"}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, [("B-0001", 40.0), ("B-0003", 20.0), ("B-0002", 5.0)]),
        ({"by": "street"}, [("Quay Road", 45.0), ("1234567", 20.0)]),
        ({"by": "area"}, [("w1", 40.0), ("w2", 5.0)]),
        ({"by": "stream"}, [("general", 60.0), ("glass", 5.0)]),
        ({"by": "street", "stream": "glass"}, [("Quay Road", 5.0)]),
        ({"by": "stream", "area": "w1"}, [("general", 40.0)]),
        ({"to": "2026-03-02"}, [("B-0003", 20.0), ("B-0001", 10.0), ("B-0002", 5.0)]),
    ],
)
async def test_use_is_summed_up_by_place(
    api: httpx.AsyncClient, owner: psycopg.Connection, params: dict[str, str], expected: list[tuple[str, float]]
) -> None:
    add_streets(owner)

    items = (await get(api, "/usage", **{**SPAN, **params}))["items"]

    assert [(item["key"], item["litres"]) for item in items] == expected


async def test_what_is_unknown_stands_beside_what_is_known(api: httpx.AsyncClient, owner: psycopg.Connection) -> None:
    add_streets(owner)

    item = (await get(api, "/usage", by="street", **SPAN))["items"][1]

    assert item == {
        "key": "1234567",
        "name": "Mill Lane",
        "bins": 1,
        "litres": 20.0,
        "observed_h": 6.0,
        "spread_h": 1.0,
        "full_h": 6.0,
        "litres_per_day": pytest.approx(20 / 7 * 24, abs=0.001),
        "week": None,
    }


async def test_week_has_every_hour_on_the_towns_clocks(api: httpx.AsyncClient, owner: psycopg.Connection) -> None:
    add_streets(owner)

    item = (await get(api, "/usage", by="street", week="true", **SPAN))["items"][0]

    litres, known_h = item["week"]["litres"], item["week"]["known_h"]
    assert {hour: value for hour, value in enumerate(litres) if value} == {9: 10.0, 10: 5.0, 33: 30.0}
    assert (known_h[0], known_h[12], known_h[23], known_h[24]) == (2.0, 0.0, 2.0, 1.0)


async def test_places_are_paged_most_used_first(api: httpx.AsyncClient, owner: psycopg.Connection) -> None:
    add_streets(owner)

    first = await get(api, "/usage", limit=2, **SPAN)
    rest = await get(api, "/usage", limit=2, cursor=first["next"], **SPAN)

    assert [item["key"] for item in first["items"] + rest["items"]] == ["B-0001", "B-0003", "B-0002"]
    assert rest["next"] is None


async def test_bins_are_advised_with_numbers_and_a_sentence(api: httpx.AsyncClient, owner: psycopg.Connection) -> None:
    ids = town.add_bins(owner, 7)
    for bin_id, use in zip(ids, (town.EAGER, town.LATE, town.SMALL, town.UNUSED, town.RIGHT), strict=False):
        town.add_use(owner, [bin_id], use)
    town.add_use(owner, ids[5:6], town.EAGER, days=5)

    items = (await get(api, "/places"))["items"]

    assert [item["advice"] for item in items] == [
        "fewer_visits", "more_visits", "always_full", "never_full", "as_it_is", "unknown",
    ]  # fmt: skip
    assert items[0]["explanation"] == "Emptied 28 times in 4 weeks, on average 20% full: every 4 days would do."
    assert (items[0]["every_days"], items[0]["emptyings"], items[0]["days"]) == (4, 28, 28)
    assert "Only 5 whole days" in items[5]["explanation"]


async def test_advice_is_filtered_and_paged(api: httpx.AsyncClient, owner: psycopg.Connection) -> None:
    ids = town.add_bins(owner, 12)
    town.add_use(owner, ids[:6], town.EAGER)
    town.add_use(owner, ids[6:], town.LATE)

    first = await get(api, "/places", advice="more_visits", limit=4)
    rest = await get(api, "/places", advice="more_visits", limit=4, cursor=first["next"])

    assert [item["id"] for item in first["items"] + rest["items"]] == ids[6:]
    assert (await get(api, "/places", depot="nowhere"))["items"] == []


async def test_answers_are_what_the_description_promises(api: httpx.AsyncClient, owner: psycopg.Connection) -> None:
    ids = town.add_bins(owner, 8)
    for bin_id, use in zip(ids, town.USES, strict=True):
        town.add_use(owner, [bin_id], use)

    use_models.UsageList.model_validate(await get(api, "/usage", week="true"))
    use_models.UsageList.model_validate(await get(api, "/usage", by="street"))
    use_models.PlaceList.model_validate(await get(api, "/places"))
    features = (await get(api, "/places", format="geojson"))["features"]
    assert features[0]["geometry"]["coordinates"][1] == pytest.approx(54, abs=0.1)


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/usage?by=town", 422, "by"),
        ("/usage?from=2026-03-04&to=2026-03-02", 400, "from"),
        ("/usage?from=yesterday", 422, "from"),
        ("/usage?to=9999-12-31", 400, "to"),
        ("/usage?by=street&cursor=rubbish", 400, "cursor"),
        ("/usage?strem=glass", 400, "strem"),
        ("/places?weeks=1", 422, "weeks"),
        ("/places?advice=good", 422, "advice"),
    ],
)
async def test_wrong_request_gets_one_sentence(api: httpx.AsyncClient, path: str, status: int, words: str) -> None:
    answer = await api.get(path)

    assert answer.status_code == status, answer.text
    assert words in answer.json()["error"]

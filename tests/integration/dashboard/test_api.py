import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest

from dashboard.api import models
from tests.integration.dashboard import town

pytestmark = pytest.mark.anyio
START = datetime(2026, 3, 1, tzinfo=UTC)


async def get(api: httpx.AsyncClient, path: str, status: int = 200, **params: Any) -> Any:
    answer = await api.get(path, params=params)
    assert answer.status_code == status, answer.text
    return answer.json()


async def all_pages(api: httpx.AsyncClient, path: str, **params: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = await get(api, path, **params, **({"cursor": cursor} if cursor else {}))
        assert len(page["items"]) <= params["limit"]
        items += page["items"]
        cursor = page["next"]
        if cursor is None:
            return items


async def test_bins_are_listed_once_each_while_others_come_and_go(
    api: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    ids = town.add_bins(owner, 20)
    first = await get(api, "/bins", limit=8)
    owner.execute("update bins set removed_at = now() where id in (%s, %s)", (ids[0], ids[9]))
    owner.execute("insert into bins (ref, name, longitude, latitude) values ('NEW', 'New', -4.9, 54)")

    rest = await get(api, "/bins", limit=1000, cursor=first["next"])

    assert [item["ref"] for item in first["items"]] == [f"B-{n:04}" for n in range(1, 9)]
    assert [item["ref"] for item in rest["items"]] == ["B-0009", *[f"B-{n:04}" for n in range(11, 21)], "NEW"]
    assert rest["next"] is None


async def test_bin_without_a_state_is_not_due_and_not_known(api: httpx.AsyncClient, owner: psycopg.Connection) -> None:
    town.add_bins(owner, 1)

    item = await get(api, "/bins/B-0001")

    assert item["reason"] == "NOT_READY"
    assert item["fill_level"] is None
    assert item["sensor"] == "none"
    assert item["full_at"] is None
    assert item["threshold"] == 0.8


async def test_due_lists_only_due_bins_most_urgent_first(api: httpx.AsyncClient, owner: psycopg.Connection) -> None:
    town.add_town(owner, 200)

    items = await all_pages(api, "/due", limit=7)

    priorities = [item["priority"] for item in items]
    assert priorities == sorted(priorities, reverse=True)
    assert {item["due_class"] for item in items} == {"must_go", "may_go"}
    assert len({item["ref"] for item in items}) == len(items) == 28


@pytest.mark.parametrize(
    ("path", "params", "field", "expected"),
    [
        ("/due", {"class": "must_go"}, "due_class", {"must_go"}),
        ("/due", {"reason": "STALE"}, "reason", {"STALE"}),
        ("/bins", {"stream": "glass"}, "stream", {"glass"}),
        ("/bins", {"depot": "south"}, "depot", {"south"}),
        ("/bins", {"due": "false"}, "reason", {"NOT_READY"}),
        ("/bins", {"due": "true", "reason": "AGE"}, "due_class", {"may_go"}),
    ],
)
async def test_filters_narrow(
    *,
    api: httpx.AsyncClient,
    owner: psycopg.Connection,
    path: str,
    params: dict[str, str],
    field: str,
    expected: set[str],
) -> None:
    town.add_town(owner, 200)

    items = (await get(api, path, limit=1000, **params))["items"]

    assert {item[field] for item in items} == expected


async def test_change_is_visible_at_once(api: httpx.AsyncClient, owner: psycopg.Connection) -> None:
    (bin_id,) = town.add_bins(owner, 1)
    before = await get(api, "/due")

    town.set_state(owner, [bin_id], town.FULL)

    after = await get(api, "/due")
    assert before["items"] == []
    assert [item["ref"] for item in after["items"]] == ["B-0001"]


async def test_forecast_is_shown_when_there_is_one(api: httpx.AsyncClient, owner: psycopg.Connection) -> None:
    (bin_id,) = town.add_bins(owner, 1)
    town.set_state(owner, [bin_id], town.State())
    owner.execute("update bin_state set full_at_p50 = '2026-03-02T06:00:00Z' where bin_id = %s", (bin_id,))

    item = await get(api, "/bins/B-0001")

    assert item["full_at"] == {"p10": None, "p50": "2026-03-02T06:00:00Z", "p90": None}
    assert item["threshold_at"] is None


async def test_due_lists_what_likely_overflows_before_a_moment(
    api: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    due, soon, late, resting, never = town.add_bins(owner, 5)
    town.set_state(owner, [due], town.MAY_OVERFLOW)
    town.set_state(owner, [soon, late, resting, never], town.State())
    full_at = {due: 10, soon: 30, late: 50, resting: 30}
    for bin_id, hours in full_at.items():
        moment = START + timedelta(hours=hours)
        owner.execute("update bin_state set full_at_p50 = %s where bin_id = %s", (moment, bin_id))
    owner.execute("update bins set out_of_service_until = '2026-04-01' where id = %s", (resting,))

    async def refs(**params: Any) -> list[str]:
        return [item["ref"] for item in await all_pages(api, "/due", limit=1, **params)]

    assert await refs() == ["B-0001"]
    assert await refs(before="2026-03-02T06:00:00Z") == ["B-0001", "B-0002"]
    assert await refs(before="2026-03-02T05:00:00Z") == ["B-0001"]
    assert await refs(before="2026-03-03T12:00:00+01:00") == ["B-0001", "B-0002", "B-0003"]
    assert await refs(before="2026-03-03T12:00:00Z", reason="NOT_READY") == ["B-0002", "B-0003"]
    assert await refs(before="2026-03-03T12:00:00Z", reason="FORECAST") == ["B-0001"]
    assert (await get(api, "/due", 400, before="2026-03-02T06:00:00"))["error"].startswith("before: give an offset")


@pytest.mark.parametrize("asked", ["format", "accept"])
async def test_geojson_has_points_in_the_right_order(
    api: httpx.AsyncClient, owner: psycopg.Connection, asked: str
) -> None:
    town.add_bins(owner, 3)
    params = {"format": "geojson"} if asked == "format" else {}
    headers = {"Accept": "application/geo+json"} if asked == "accept" else {}

    answer = await api.get("/bins", params={"limit": 2, **params}, headers=headers)

    collection = answer.json()
    feature = collection["features"][0]
    assert answer.headers["content-type"] == "application/geo+json"
    assert collection["type"] == "FeatureCollection"
    assert collection["next"]
    assert feature["geometry"]["coordinates"] == [feature["properties"]["longitude"], feature["properties"]["latitude"]]
    assert feature["geometry"]["coordinates"][1] == pytest.approx(54, abs=0.1)


async def test_readings_mean_the_same_on_pages_of_any_size(api: httpx.AsyncClient, owner: psycopg.Connection) -> None:
    (bin_id,) = town.add_bins(owner, 1)
    town.add_history(owner, bin_id, days=5)

    whole = (await get(api, "/bins/B-0001/readings", limit=1000))["items"]
    pieces = await all_pages(api, "/bins/B-0001/readings", limit=7)

    assert pieces == whole
    assert [item["seq"] for item in whole] == list(reversed(range(120)))
    assert {item["quality"] for item in whole} >= {1, 4}


async def test_lone_spike_is_rejected_even_as_the_last_of_its_page(
    api: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    (bin_id,) = town.add_bins(owner, 1)
    device_id = town.add_device(owner, "sensor-1", bin_id, START)
    town.add_readings(owner, device_id, START, [900, 905, 300, 895, 890])

    items = await all_pages(api, "/bins/B-0001/readings", limit=1)

    assert [item["fill_level"] for item in items] == [0.26, 0.255, None, 0.245, 0.25]
    assert items[2]["quality"] == 2
    assert items[2]["quality_reason"]


async def test_readings_are_narrowed_by_time(api: httpx.AsyncClient, owner: psycopg.Connection) -> None:
    (bin_id,) = town.add_bins(owner, 1)
    device_id = town.add_device(owner, "sensor-1", bin_id, START)
    town.add_readings(owner, device_id, START, [900] * 24)
    span = {"from": "2026-03-01T03:00:00Z", "to": "2026-03-01T06:00:00+01:00"}

    items = await all_pages(api, "/bins/B-0001/readings", limit=2, **span)

    assert [item["measured_at"] for item in items] == [f"2026-03-01T0{hour}:00:00Z" for hour in (5, 4, 3)]


async def test_readings_of_two_sensors_at_one_moment_are_all_listed(
    api: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    (bin_id,) = town.add_bins(owner, 1)
    for ref in ("sensor-1", "sensor-2"):
        town.add_readings(owner, town.add_device(owner, ref, bin_id, START), START, [900, 800])

    items = await all_pages(api, "/bins/B-0001/readings", limit=1)

    assert [(item["seq"], item["device"]) for item in items] == [
        (1, "sensor-2"), (1, "sensor-1"), (0, "sensor-2"), (0, "sensor-1"),
    ]  # fmt: skip


async def test_emptyings_rejects_and_devices_are_paged(api: httpx.AsyncClient, owner: psycopg.Connection) -> None:
    ids = town.add_bins(owner, 3)
    for bin_id in ids:
        town.add_history(owner, bin_id, days=14)
    for number in range(5):
        town.add_reject(owner, "parse", b"\xff\x00" if number % 2 else "né".encode())

    emptyings = await all_pages(api, "/bins/B-0001/emptyings", limit=2)
    rejects = await all_pages(api, "/rejects", limit=2)
    devices = await all_pages(api, "/devices", limit=2)

    moments = [item["emptied_at"] for item in emptyings]
    assert len(moments) >= 3
    assert moments == sorted(set(moments), reverse=True)
    assert {len(str(item["confidence"])) for item in emptyings} == {len("0.95")}
    assert [item["payload"] for item in rejects] == ["né", "hex:ff00", "né", "hex:ff00", "né"]
    assert [item["bin"] for item in devices] == ["B-0001", "B-0002", "B-0003"]


async def test_answers_are_what_the_description_promises(api: httpx.AsyncClient, owner: psycopg.Connection) -> None:
    ids = town.add_town(owner, 60)
    town.add_history(owner, ids[0], days=5)
    town.add_reject(owner, "range", b"{}")
    town.add_alert(owner, ids[0])

    models.BinList.model_validate(await get(api, "/bins", limit=1000))
    models.BinItem.model_validate(await get(api, "/bins/B-0001"))
    models.BinList.model_validate(await get(api, "/due"))
    models.ReadingList.model_validate(await get(api, "/bins/B-0001/readings"))
    models.EmptyingList.model_validate(await get(api, "/bins/B-0001/emptyings"))
    models.RejectList.model_validate(await get(api, "/rejects"))
    models.DeviceList.model_validate(await get(api, "/devices"))
    assert len(models.AlertList.model_validate(await get(api, "/alerts")).items) == 1


async def test_proposed_calibration_is_shown_with_bin_and_sensor(
    api: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    first, second = town.add_bins(owner, 2)
    town.add_device(owner, "sensor-1", first, START)
    town.add_device(owner, "sensor-2", second, START)
    town.add_proposal(owner, "sensor-1")

    bins = [models.BinItem.model_validate(one) for one in (await get(api, "/bins"))["items"]]
    devices = [models.DeviceItem.model_validate(one) for one in (await get(api, "/devices"))["items"]]

    assert [one.proposal for one in devices] == [bins[0].proposals[0], None]
    assert [len(one.proposals) for one in bins] == [1, 0]
    assert (bins[0].proposals[0].empty_mm, bins[0].proposals[0].sureness) == (1310, 0.93)
    assert bins[0].empty_mm == 1150
    owner.execute("update fittings set empty_mm = 1300")
    assert (await get(api, "/bins/B-0001"))["proposals"] == []


async def test_alerts_are_paged_and_narrowed(api: httpx.AsyncClient, owner: psycopg.Connection) -> None:
    ids = town.add_bins(owner, 6)
    alerts = [town.add_alert(owner, bin_id, closed=bin_id % 2 == 0) for bin_id in ids]
    fire = town.add_alert(owner, ids[0], "fire", "74 °C inside: it may be on fire.")
    owner.execute("update bins set removed_at = now() where id = %s", (ids[5],))

    listed = await all_pages(api, "/alerts", limit=2)
    opened = await all_pages(api, "/alerts", limit=100, state="open")
    fires = await all_pages(api, "/alerts", limit=100, type="fire")
    south = await all_pages(api, "/alerts", limit=100, depot="south")

    assert [item["id"] for item in listed] == [fire, *reversed(alerts[:5])]
    assert [item["id"] for item in opened] == [fire, alerts[4], alerts[2], alerts[0]]
    assert [(item["id"], item["bin"], item["notice"]) for item in fires] == [(fire, "B-0001", "none")]
    assert {item["depot"] for item in south} == {"south"}
    assert len(south) < len(listed)


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/bins?limit=0", 422, "limit"),
        ("/bins?limit=1001", 422, "limit"),
        ("/bins?limit=ten", 422, "limit"),
        ("/bins?stream=lava", 422, "stream"),
        ("/bins?due=maybe", 422, "due"),
        ("/bins?depot=%00", 422, "depot"),
        ("/bins?stram=glass", 400, "stram"),
        ("/bins?cursor=rubbish", 400, "cursor"),
        ("/due?class=now", 422, "class"),
        ("/alerts?type=flood", 422, "type"),
        ("/alerts?state=half", 422, "state"),
        ("/bins/NOPE", 404, "no bin"),
        ("/bins/%00", 404, "no bin"),
        ("/bins/NOPE/readings", 404, "no bin"),
        ("/bins/B-0001/readings?from=yesterday", 422, "from"),
        ("/bins/B-0001/readings?from=2026-03-01T00:00:00", 400, "from"),
        ("/bins/B-0001/readings?to=0001-01-01T00:00:00%2B14:00", 400, "to"),
        ("/bins/B-0001/emptyings?cursor=W10", 400, "cursor"),
        ("/nope", 404, "nothing at /api/v1/nope"),
    ],
)
async def test_wrong_request_gets_one_sentence(
    api: httpx.AsyncClient, owner: psycopg.Connection, path: str, status: int, words: str
) -> None:
    town.add_bins(owner, 1)

    answer = await api.get(path)

    assert answer.status_code == status, answer.text
    assert list(answer.json()) == ["error"]
    assert words in answer.json()["error"]


async def test_wrong_method_is_refused_in_json(api: httpx.AsyncClient) -> None:
    answer = await api.post("/bins", json={})

    assert answer.status_code == 405
    assert list(answer.json()) == ["error"]


@pytest.mark.parametrize("header", [None, "Bearer", "Bearer wrong", "Basic YTpi", "bearer  "])
async def test_no_data_without_a_key(stranger: httpx.AsyncClient, header: str | None) -> None:
    answer = await stranger.get("/api/v1/bins", headers={"Authorization": header} if header else {})

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert list(answer.json()) == ["error"]


async def test_revoked_key_is_refused_at_once(api: httpx.AsyncClient, owner: psycopg.Connection) -> None:
    before = await api.get("/bins")
    owner.execute("update api_keys set revoked_at = now()")

    after = await api.get("/bins")

    assert (before.status_code, after.status_code) == (200, 401)


async def test_description_is_public_and_names_every_address(stranger: httpx.AsyncClient) -> None:
    description = (await stranger.get("/api/v1/openapi.json")).json()

    assert description["openapi"].startswith("3.")
    assert sorted(description["paths"]) == [
        "/api/v1/alerts",
        "/api/v1/bins",
        "/api/v1/bins/{ref}",
        "/api/v1/bins/{ref}/emptyings",
        "/api/v1/bins/{ref}/readings",
        "/api/v1/devices",
        "/api/v1/due",
        "/api/v1/places",
        "/api/v1/rejects",
        "/api/v1/usage",
    ]


async def test_health_is_public(stranger: httpx.AsyncClient) -> None:
    answer = await stranger.get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_readings_before_the_page_cost_no_more_than_a_moment(
    api: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    (bin_id,) = town.add_bins(owner, 1)
    town.add_readings(owner, town.add_device(owner, "sensor-1", bin_id, START), START, [900] * 3000, step_s=60)
    began = time.process_time()

    page = await get(api, "/bins/B-0001/readings", limit=1000)

    assert len(page["items"]) == 1000
    assert time.process_time() - began < 2

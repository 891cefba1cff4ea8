import pytest

from dashboard.accounts.gate import OPEN, window_of
from dashboard.accounts.login import _local
from dashboard.accounts.passwords import generate_password, hash_password, password_matches
from dashboard.accounts.sessions import Window, csrf_of
from dashboard.accounts.tries import TRIES, WINDOW_S, Tries


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Give the time, seconds."""
        return self.now


def test_passwords_are_argon2id_and_salted() -> None:
    password = generate_password()

    one, other = hash_password(password), hash_password(password)

    assert one.startswith("$argon2id$")
    assert one != other
    assert password_matches(one, password)
    assert not password_matches(one, password + "x")


@pytest.mark.parametrize("password_hash", [None, "", "rubbish"])
def test_nobodys_password_never_matches(password_hash: str | None) -> None:
    assert not password_matches(password_hash, "anything at all")


def test_tries_are_limited_by_account_and_by_source() -> None:
    clock = Clock()
    tries = Tries(clock)

    for number in range(TRIES):
        assert tries.wait_s("user a", f"source {number}") == 0
        tries.fail("user a", f"source {number}")

    assert tries.wait_s("user a", "source new") == WINDOW_S + 1
    assert tries.wait_s("user b", "source new") == 0
    assert tries.wait_s("user b", "source 1") == 0


def test_tries_are_allowed_again_after_the_window() -> None:
    clock = Clock()
    tries = Tries(clock)
    for _ in range(TRIES):
        tries.fail("user a")

    clock.now = WINDOW_S + 0.1

    assert tries.wait_s("user a") == 0


def test_tries_start_anew_after_success() -> None:
    tries = Tries(Clock())
    for _ in range(TRIES):
        tries.fail("user a")

    tries.forget("user a")

    assert tries.wait_s("user a") == 0


@pytest.mark.parametrize(
    ("path", "is_open"),
    [
        ("/login", True),
        ("/healthz", True),
        ("/assets/login.css", True),
        ("/api/v1/bins", True),  # has its own keys
        ("/", False),
        ("/due.csv", False),
        ("/bins/B-1", False),
        ("/basemap/roads.geojson", False),
        ("/_dash-layout", False),
        ("/_dash-update-component", False),
        ("/_dash-ws-callback", False),
        ("/apifoo", False),
        ("/login/../", False),
        ("/assetsfoo", False),
    ],
)
def test_gate_is_open_only_where_nothing_is_told(path: str, is_open: bool) -> None:
    assert bool(OPEN.fullmatch(path)) is is_open


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "", "/a\r\nb"]
)
def test_sign_in_leads_nowhere_else(target: str) -> None:
    assert _local(target) == "/"


def test_sign_in_leads_back() -> None:
    assert _local("/bins/B-1?x=1") == "/bins/B-1?x=1"


def test_csrf_token_differs_by_session_and_hides_it() -> None:
    assert csrf_of("one") != csrf_of("other")
    assert "one" not in csrf_of("one")


@pytest.mark.parametrize(
    ("cookies", "window"),
    [
        ({}, Window("light", 1440, 900)),
        ({"brimwatch_theme": "dark", "brimwatch_screen": "390x844"}, Window("dark", 390, 844)),
        ({"brimwatch_theme": "x", "brimwatch_screen": "0x0"}, Window("light", 1440, 900)),
    ],
)
def test_window_is_read_from_cookies_and_never_trusted(cookies: dict[str, str], window: Window) -> None:
    assert window_of(cookies) == window

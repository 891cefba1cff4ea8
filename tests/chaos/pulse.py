"""`python -m tests.chaos.pulse`: a good device that says how long each of its readings takes to be acknowledged.

A process of its own, so that whoever starts it may be busy.
"""

import argparse
import threading
import time
from pathlib import Path
from socket import IPPROTO_TCP, TCP_NODELAY

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from firmware.smartbin import codec

LOST_S = 30.0


def main() -> None:
    """Send one reading after another, and print milliseconds for each, until killed."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("bundle", type=Path, help="folder made by `ingest devices enrol`")
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--every", type=float, default=0.02, help="seconds from one reading to the next")
    given = parser.parse_args()
    ref, epoch = given.bundle.name, int(time.time())
    acknowledged, subscribed = threading.Event(), threading.Event()
    client = Client(CallbackAPIVersion.VERSION2, client_id=ref)
    folder = given.bundle
    client.tls_set(str(folder / "ca.pem"), str(folder / "device.pem"), str(folder / "device.key.pem"))
    client.on_message = lambda *_: acknowledged.set()
    client.on_subscribe = lambda *_: subscribed.set()
    client.on_connect = lambda *_: client.subscribe(codec.topic(ref, "down/ack"), qos=1)
    # Our acknowledgement of what we hear must not hold up what we say next.
    client.on_socket_open = lambda _client, _userdata, link: link.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
    client.connect(given.host, given.port)
    client.loop_start()
    subscribed.wait(LOST_S)
    seq = 0
    while True:
        row = (seq, int(time.time()), 640, 4, 9, 123, 3600, 1, 0)
        acknowledged.clear()
        began = time.monotonic()
        client.publish(codec.topic(ref, "up/readings"), codec.encode_readings(epoch, 3600, [row]), qos=1)
        if not acknowledged.wait(LOST_S):
            raise SystemExit(f"reading {seq} was not acknowledged")
        took_s = time.monotonic() - began
        print(f"{1000 * took_s:.2f}", flush=True)  # noqa: T201 - what it is for
        seq += 1
        time.sleep(max(0.0, given.every - took_s))


if __name__ == "__main__":
    main()

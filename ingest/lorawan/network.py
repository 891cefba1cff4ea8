"""Messages of LoRaWAN network servers, whichever it is. Pure; called by `decode`."""

import msgspec

from ingest.lorawan import chirpstack, ttn
from ingest.lorawan.uplink import UplinkError
from ingest.reading import Decoded, fault_of, refuse

NETWORKS = (chirpstack.read_uplink, ttn.read_uplink)


def decode_uplink_message(topic: str, payload: bytes) -> Decoded | None:
    """Read what a network server published; never raises for what is in it.

    Returns:
        The uplink, whose payload only its device's model can tell the meaning of (`models`), or a refusal; None where
        the topic is of no network server.
    """
    try:
        found = (read_uplink(topic, payload) for read_uplink in NETWORKS)
        uplink = next((one for one in found if one is not None), None)
    except UplinkError as error:
        return refuse(reason=error.reason, detail=str(error), payload=payload)
    except msgspec.ValidationError as error:
        reason, detail = fault_of(error)
        return refuse(reason=reason, detail=detail, payload=payload)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        return refuse(reason="parse", detail=f"not JSON: {error}", payload=payload)
    return None if uplink is None else Decoded(uplink.dev_eui, [], [], uplink=uplink)

-- Sensors of other makers that come over LoRaWAN: `ref` is their DevEUI, and the model says how to read what they send.

alter table devices
    -- A name of `ingest/lorawan/models.py`; null for a device that speaks our own contract.
    add column model text check (model ~ '^[a-z0-9][a-z0-9-]{0,63}$');

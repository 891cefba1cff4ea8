-- What only TimescaleDB's Community edition does by itself: it compresses readings that have come to rest, and forgets old
-- rejects. On the Apache edition nothing changes; both tables work the same, uncompressed and kept.
do $$
begin
    if current_setting('timescaledb.license', true) = 'timescale' then
        -- One device's readings lie together, in their order. The rest of the key is in the order too, so that a resend
        -- of an old reading is recognised without unpacking its neighbours.
        alter table readings set (
            timescaledb.enable_columnstore,
            timescaledb.segmentby = 'device_id',
            timescaledb.orderby = 'measured_at, epoch, seq'
        );
        -- A device holds and may still deliver what it measured during an outage; after two weeks that is rare, and still works.
        call add_columnstore_policy('readings', after => interval '14 days');
        perform add_retention_policy('rejects', drop_after => interval '365 days');
    end if;
end
$$;

-- One row per refused message or reading. What `rejects list` and the dashboard show.
drop view if exists reject_list;
create view reject_list as
select id, received_at, topic, device, reason, detail, payload
from rejects;

grant select on reject_list to brimwatch_dashboard, brimwatch_ingest;

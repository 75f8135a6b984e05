-- Who took which list out of the console, when, and how much of it; the list itself is kept nowhere. Real time.
CREATE TABLE export_log (
    export_id uuid PRIMARY KEY,
    account_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    list text NOT NULL CHECK (list IN ('journeys', 'tasks', 'events')),
    format text NOT NULL CHECK (format IN ('csv', 'xlsx', 'jsonl')),
    filters jsonb NOT NULL,
    row_count integer NOT NULL,
    exported_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX export_log_tenant ON export_log (tenant_id, export_id);
CALL protect('export_log', 'tenant_id = app_tenant_id()');

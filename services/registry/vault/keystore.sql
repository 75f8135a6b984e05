-- The key store: a small database of its own with short backup retention, so that a destroyed key is gone.
CREATE TABLE IF NOT EXISTS system_key (
    name text PRIMARY KEY,
    master_key_id text NOT NULL,
    wrapped bytea NOT NULL
);
CREATE TABLE IF NOT EXISTS tenant_key (
    tenant_id uuid NOT NULL,
    version integer NOT NULL,
    master_key_id text NOT NULL,
    wrapped bytea NOT NULL,
    PRIMARY KEY (tenant_id, version)
);
CREATE TABLE IF NOT EXISTS data_key (
    key_id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    tenant_key_version integer NOT NULL,
    wrapped bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    FOREIGN KEY (tenant_id, tenant_key_version) REFERENCES tenant_key
);
CREATE INDEX IF NOT EXISTS data_key_tenant ON data_key (tenant_id, tenant_key_version);
-- A destroyed key leaves nothing in the table's pages for long.
ALTER TABLE data_key SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 50);

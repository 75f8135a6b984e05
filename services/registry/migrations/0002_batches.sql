-- Submitted rosters: what came in, what became of each row, and, for a while, the rows that have to be mended.

CREATE TABLE worker_batch (
    batch_id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('origin_roster', 'new_hires')),
    drive_id uuid,
    division_code text NOT NULL,
    -- A keyed HMAC over bytes, kind and drive: the same file again is the same batch.
    fingerprint bytea NOT NULL,
    file_extension text NOT NULL,
    byte_count integer NOT NULL,
    submitted_by uuid NOT NULL,
    submitted_on date NOT NULL,
    submitted_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'received'
        CHECK (state IN ('received', 'validating', 'accepted', 'partly_accepted', 'rejected')),
    row_count integer NOT NULL DEFAULT 0,
    accepted_count integer NOT NULL DEFAULT 0,
    rejected_count integer NOT NULL DEFAULT 0,
    duplicate_count integer NOT NULL DEFAULT 0,
    warning_count integer NOT NULL DEFAULT 0,
    nominated_count integer NOT NULL DEFAULT 0,
    group_count integer NOT NULL DEFAULT 0,
    had_already_nominated boolean NOT NULL DEFAULT false,
    -- The office's header row as JSON, kept beside the rejected rows.
    layout jsonb,
    finished_at timestamptz,
    superseded_at timestamptz,
    CHECK (row_count = accepted_count + rejected_count + duplicate_count)
);
-- The same file three times at once is one batch.
CREATE UNIQUE INDEX worker_batch_fingerprint ON worker_batch (tenant_id, fingerprint) WHERE superseded_at IS NULL;
CREATE INDEX worker_batch_tenant ON worker_batch (tenant_id, batch_id);
CREATE INDEX worker_batch_open ON worker_batch (batch_id) WHERE state IN ('received', 'validating');
CALL protect('worker_batch', 'tenant_id = app_tenant_id()');

-- The uploaded file, sealed under a key of its own, until the batch has its final state.
CREATE TABLE batch_file (
    batch_id uuid PRIMARY KEY REFERENCES worker_batch,
    tenant_id uuid NOT NULL,
    sealed bytea NOT NULL
);
ALTER TABLE batch_file ALTER COLUMN sealed SET STORAGE EXTERNAL;
CALL protect('batch_file', 'false');

CREATE TABLE batch_issue (
    batch_id uuid NOT NULL REFERENCES worker_batch,
    issue_number integer NOT NULL,
    tenant_id uuid NOT NULL,
    row_number integer,
    column_letter text,
    header text,
    field text,
    code text NOT NULL,
    severity text NOT NULL CHECK (severity IN ('error', 'warning', 'info')),
    message text NOT NULL,
    value_masked text,
    first_row integer,
    PRIMARY KEY (batch_id, issue_number)
);
CALL protect('batch_issue', 'tenant_id = app_tenant_id()');

-- Which persons a batch's accepted and known rows are.
CREATE TABLE batch_worker (
    batch_id uuid NOT NULL REFERENCES worker_batch,
    row_number integer NOT NULL,
    tenant_id uuid NOT NULL,
    worker_id uuid NOT NULL,
    nomination_id uuid,
    hire_id uuid,
    PRIMARY KEY (batch_id, row_number)
);
CREATE INDEX batch_worker_worker ON batch_worker (worker_id);
CALL protect('batch_worker', 'tenant_id = app_tenant_id()');

-- Rows that were left out, each under a key of its own for seven days, for the workbook that goes back.
CREATE TABLE rejected_row (
    rejected_row_id uuid PRIMARY KEY,
    batch_id uuid NOT NULL REFERENCES worker_batch,
    row_number integer NOT NULL,
    tenant_id uuid NOT NULL,
    blind_index bytea,
    sealed bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    UNIQUE (batch_id, row_number)
);
CREATE INDEX rejected_row_person ON rejected_row (blind_index) WHERE blind_index IS NOT NULL;
CREATE INDEX rejected_row_expiry ON rejected_row (expires_at);
CALL protect('rejected_row', 'tenant_id = app_tenant_id()');

-- Header words that an office taught us.
CREATE TABLE header_synonym (
    tenant_id uuid NOT NULL,
    word text NOT NULL,
    field text NOT NULL,
    PRIMARY KEY (tenant_id, word)
);
CALL protect('header_synonym', 'tenant_id = app_tenant_id()');

-- Persons, each tenant's own sealed copy of them, nominations, hires, and what was asked to be erased.

-- An erased person keeps the row as a tombstone, with everything else in it emptied.
CREATE TABLE worker (
    worker_id uuid PRIMARY KEY,
    gender text CHECK (gender IN ('male', 'female')),
    birth_year_month text CHECK (birth_year_month ~ '^\d{4}-\d{2}$'),
    origin_division_code text,
    education_code text,
    certificate_codes text[] NOT NULL DEFAULT '{}',
    occupation_codes text[] NOT NULL DEFAULT '{}',
    preferred_pay_min integer,
    preferred_pay_max integer,
    registered_at timestamptz NOT NULL,
    erased_at timestamptz,
    CHECK (erased_at IS NOT NULL OR (gender IS NOT NULL AND birth_year_month IS NOT NULL
        AND origin_division_code IS NOT NULL))
);

-- One person is one ID number, and one keyed HMAC of it; the row goes when the person is erased, so that the same
-- number brought later is a new person. The primary key decides between tenants that bring a new person at once.
CREATE TABLE person_index (
    blind_index bytea PRIMARY KEY CHECK (length(blind_index) = 32),
    worker_id uuid NOT NULL UNIQUE REFERENCES worker DEFERRABLE INITIALLY DEFERRED
);

-- A tenant's own copy of a person. Sealed columns are AES-256-GCM under the relation's data key, which lies in the
-- key store; without that key they say nothing.
CREATE TABLE relation (
    relation_id uuid PRIMARY KEY,
    worker_id uuid NOT NULL REFERENCES worker DEFERRABLE INITIALLY DEFERRED,
    tenant_id uuid NOT NULL,
    tenant_kind text NOT NULL CHECK (tenant_kind IN ('office', 'enterprise')),
    gender text NOT NULL,
    birth_year_month text NOT NULL,
    origin_division_code text NOT NULL,
    education_code text,
    certificate_codes text[] NOT NULL DEFAULT '{}',
    occupation_codes text[] NOT NULL DEFAULT '{}',
    preferred_pay_min integer,
    preferred_pay_max integer,
    poverty_lifted boolean,
    monitored boolean,
    name_sealed bytea NOT NULL,
    resident_id_sealed bytea NOT NULL,
    phone_sealed bytea NOT NULL,
    ethnicity_sealed bytea,
    education_sealed bytea,
    registered_residence_sealed bytea,
    present_residence_sealed bytea,
    emergency_contact_sealed bytea,
    emergency_phone_sealed bytea,
    certificates_sealed bytea,
    preferred_occupation_sealed bytea,
    notes_sealed bytea,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    UNIQUE (worker_id, tenant_id)
);
CREATE INDEX relation_tenant ON relation (tenant_id, worker_id);
CALL protect('relation', 'tenant_id = app_tenant_id()');
CALL protect('worker', 'EXISTS (SELECT 1 FROM relation r WHERE r.worker_id = worker.worker_id'
    ' AND r.tenant_id = app_tenant_id())');
CALL protect('person_index', 'false');

CREATE TABLE nomination (
    nomination_id uuid PRIMARY KEY,
    worker_id uuid NOT NULL REFERENCES worker DEFERRABLE INITIALLY DEFERRED,
    office_id uuid NOT NULL,
    batch_id uuid NOT NULL,
    drive_id uuid,
    available_from date NOT NULL,
    boarding_place_code text,
    group_id uuid,
    group_size integer CHECK (group_size >= 2),
    needs_bed boolean NOT NULL,
    state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'ended')),
    reason text CHECK (reason IN ('started', 'withdrawn', 'drive_closed', 'expired', 'erased')),
    nominated_at timestamptz NOT NULL,
    -- Since when no placement of it lives; the 180 days of its expiry count from here.
    idle_since timestamptz,
    ended_at timestamptz,
    CHECK ((state = 'ended') = (reason IS NOT NULL AND ended_at IS NOT NULL)),
    CHECK ((group_id IS NULL) = (group_size IS NULL))
);
-- A person has at most one active nomination in the whole system; this index decides between offices that race.
CREATE UNIQUE INDEX nomination_active_worker ON nomination (worker_id) WHERE state = 'active';
CREATE INDEX nomination_office ON nomination (office_id, nomination_id);
CREATE INDEX nomination_batch ON nomination (batch_id);
CREATE INDEX nomination_of_worker ON nomination (worker_id);
CREATE INDEX nomination_idle ON nomination (idle_since) WHERE state = 'active';
CALL protect('nomination', 'office_id = app_tenant_id()');

CREATE TABLE hire (
    hire_id uuid PRIMARY KEY,
    worker_id uuid NOT NULL REFERENCES worker,
    enterprise_id uuid NOT NULL,
    batch_id uuid NOT NULL,
    hired_on date NOT NULL,
    site jsonb,
    state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'ended')),
    hired_at timestamptz NOT NULL
);
-- One hire per person and enterprise: a corrected date is said again under the same id.
CREATE UNIQUE INDEX hire_active ON hire (worker_id, enterprise_id) WHERE state = 'active';
CREATE INDEX hire_enterprise ON hire (enterprise_id, hire_id);
CALL protect('hire', 'enterprise_id = app_tenant_id()');

-- What was asked to be erased: one tenant's relation, or (tenant_id null) the whole person.
CREATE TABLE erasure (
    erasure_id uuid PRIMARY KEY,
    worker_id uuid NOT NULL REFERENCES worker,
    tenant_id uuid,
    requested_by uuid NOT NULL,
    requested_at timestamptz NOT NULL,
    done_at timestamptz
);
CREATE UNIQUE INDEX erasure_pending ON erasure (worker_id, tenant_id) NULLS NOT DISTINCT WHERE done_at IS NULL;
CALL protect('erasure', 'tenant_id = app_tenant_id()');

-- Who saw which names, when, and what for; never the names themselves.
CREATE TABLE reveal_audit (
    reveal_id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    account_id uuid NOT NULL,
    purpose text NOT NULL,
    scope jsonb NOT NULL,
    fields text[] NOT NULL,
    revealed uuid[] NOT NULL,
    withheld uuid[] NOT NULL,
    revealed_at timestamptz NOT NULL
);
CREATE INDEX reveal_audit_tenant ON reveal_audit (tenant_id, revealed_at);
CALL protect('reveal_audit', 'tenant_id = app_tenant_id()');

-- Keys whose seals are gone: the key store is another database, so they are destroyed right after the commit.
CREATE TABLE doomed_key (
    key_id uuid PRIMARY KEY,
    doomed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CALL protect('doomed_key', 'false');

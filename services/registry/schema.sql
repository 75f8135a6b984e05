-- The database of registry as its migrations make it. Read this and change those;
-- `python -m stack.schema` writes it anew.

CREATE EXTENSION IF NOT EXISTS btree_gist;

SET ROLE registry_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO registry_api, registry_worker;

CREATE TABLE migration (
    name text NOT NULL,
    digest text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (name)
);

CREATE TABLE business_clock (
    singleton boolean NOT NULL DEFAULT true,
    offset_interval interval NOT NULL DEFAULT '00:00:00',
    PRIMARY KEY (singleton),
    CHECK (singleton)
);

CREATE TABLE aggregate_sequence (
    subject text NOT NULL,
    last_sequence bigint NOT NULL,
    PRIMARY KEY (subject),
    CHECK (last_sequence > 0)
);

CREATE TABLE outbox (
    outbox_id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    event_id uuid NOT NULL,
    slot smallint NOT NULL,
    topic text NOT NULL,
    record_key text NOT NULL,
    subject text NOT NULL,
    sequence bigint NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    parked_reason text,
    PRIMARY KEY (outbox_id),
    CHECK (slot >= 0 AND slot <= 15),
    UNIQUE (subject, sequence, topic)
) WITH (autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=20000, autovacuum_vacuum_insert_scale_factor=0, autovacuum_vacuum_insert_threshold=100000);
CREATE INDEX outbox_parked ON outbox (subject) WHERE (parked_reason IS NOT NULL);

CREATE TABLE event_log (
    event_id uuid NOT NULL,
    topic text NOT NULL,
    record_key text NOT NULL,
    subject text NOT NULL,
    sequence bigint NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    recorded_at timestamptz NOT NULL,
    published_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    outbox_id bigint NOT NULL,
    PRIMARY KEY (outbox_id, recorded_at)
) PARTITION BY RANGE (recorded_at);
CREATE INDEX event_log_subject ON event_log (subject, sequence);

CREATE TABLE event_log_default PARTITION OF event_log DEFAULT;

CREATE TABLE tenant (
    tenant_id uuid NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    division_code text NOT NULL,
    uscc text,
    inn_ids uuid[] NOT NULL DEFAULT '{}'::uuid[],
    active boolean NOT NULL,
    PRIMARY KEY (tenant_id),
    CHECK (kind IN ('office', 'enterprise', 'inn', 'bureau', 'auditor'))
);
CREATE INDEX tenant_uscc ON tenant (uscc);

CREATE TABLE revocation (
    account_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    before timestamptz NOT NULL,
    PRIMARY KEY (account_id)
);

CREATE TABLE command_answer (
    account_id uuid NOT NULL,
    route text NOT NULL,
    idempotency_key text NOT NULL,
    body_digest bytea NOT NULL,
    status smallint,
    body bytea,
    answered_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (account_id, route, idempotency_key)
);
CREATE INDEX command_answer_age ON command_answer (answered_at);

CREATE TABLE inbox (
    event_id uuid NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (event_id)
);

CREATE TABLE heard_sequence (
    source text NOT NULL,
    subject text NOT NULL,
    last_sequence bigint NOT NULL,
    PRIMARY KEY (source, subject),
    CHECK (last_sequence >= 0)
);

CREATE TABLE dead_letter (
    dead_letter_id uuid NOT NULL,
    fingerprint bytea NOT NULL,
    topic text NOT NULL,
    partition integer NOT NULL,
    record_offset bigint NOT NULL,
    record_key bytea,
    headers jsonb NOT NULL,
    body bytea,
    event_id uuid,
    event_type text,
    source text,
    subject text,
    sequence bigint,
    journey_id uuid,
    reason text NOT NULL,
    detail text NOT NULL,
    holds boolean NOT NULL,
    waits boolean NOT NULL,
    state text NOT NULL DEFAULT 'parked',
    parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    closed_at timestamptz,
    closed_by uuid,
    closed_why text,
    PRIMARY KEY (dead_letter_id),
    CHECK (state IN ('parked', 'replayed', 'discarded')),
    CHECK ((state = 'parked') = (closed_at IS NULL)),
    CONSTRAINT dead_letter_check1 CHECK (num_nulls(event_id, event_type, source, subject, sequence) IN (0, 5)),
    CONSTRAINT dead_letter_check2 CHECK (event_id IS NOT NULL OR NOT (holds OR waits)),
    UNIQUE (fingerprint)
);
CREATE INDEX dead_letter_parked ON dead_letter (dead_letter_id) WHERE (state = 'parked');
CREATE INDEX dead_letter_subject ON dead_letter (source, subject, sequence) WHERE ((state = 'parked') OR ((state = 'discarded') AND holds));

CREATE TABLE worker (
    worker_id uuid NOT NULL,
    gender text,
    birth_year_month text,
    origin_division_code text,
    education_code text,
    certificate_codes text[] NOT NULL DEFAULT '{}'::text[],
    occupation_codes text[] NOT NULL DEFAULT '{}'::text[],
    preferred_pay_min integer,
    preferred_pay_max integer,
    registered_at timestamptz NOT NULL,
    erased_at timestamptz,
    PRIMARY KEY (worker_id),
    CHECK (gender IN ('male', 'female')),
    CHECK (birth_year_month ~ '^\d{4}-\d{2}$'),
    CHECK (erased_at IS NOT NULL OR gender IS NOT NULL AND birth_year_month IS NOT NULL AND origin_division_code IS NOT NULL)
);

CREATE TABLE person_index (
    blind_index bytea NOT NULL,
    worker_id uuid NOT NULL,
    PRIMARY KEY (blind_index),
    CHECK (length(blind_index) = 32),
    UNIQUE (worker_id),
    FOREIGN KEY (worker_id) REFERENCES worker(worker_id) DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE relation (
    relation_id uuid NOT NULL,
    worker_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    tenant_kind text NOT NULL,
    gender text NOT NULL,
    birth_year_month text NOT NULL,
    origin_division_code text NOT NULL,
    education_code text,
    certificate_codes text[] NOT NULL DEFAULT '{}'::text[],
    occupation_codes text[] NOT NULL DEFAULT '{}'::text[],
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
    PRIMARY KEY (relation_id),
    CHECK (tenant_kind IN ('office', 'enterprise')),
    UNIQUE (worker_id, tenant_id),
    FOREIGN KEY (worker_id) REFERENCES worker(worker_id) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX relation_tenant ON relation (tenant_id, worker_id);

CREATE TABLE nomination (
    nomination_id uuid NOT NULL,
    worker_id uuid NOT NULL,
    office_id uuid NOT NULL,
    batch_id uuid NOT NULL,
    drive_id uuid,
    available_from date NOT NULL,
    boarding_place_code text,
    group_id uuid,
    group_size integer,
    needs_bed boolean NOT NULL,
    state text NOT NULL DEFAULT 'active',
    reason text,
    nominated_at timestamptz NOT NULL,
    idle_since timestamptz,
    ended_at timestamptz,
    PRIMARY KEY (nomination_id),
    CHECK (group_size >= 2),
    CHECK (state IN ('active', 'ended')),
    CHECK (reason IN ('started', 'withdrawn', 'drive_closed', 'expired', 'erased')),
    CHECK ((state = 'ended') = (reason IS NOT NULL AND ended_at IS NOT NULL)),
    CONSTRAINT nomination_check1 CHECK ((group_id IS NULL) = (group_size IS NULL)),
    FOREIGN KEY (worker_id) REFERENCES worker(worker_id) DEFERRABLE INITIALLY DEFERRED
);
CREATE UNIQUE INDEX nomination_active_worker ON nomination (worker_id) WHERE (state = 'active');
CREATE INDEX nomination_batch ON nomination (batch_id);
CREATE INDEX nomination_idle ON nomination (idle_since) WHERE (state = 'active');
CREATE INDEX nomination_of_worker ON nomination (worker_id);
CREATE INDEX nomination_office ON nomination (office_id, nomination_id);

CREATE TABLE hire (
    hire_id uuid NOT NULL,
    worker_id uuid NOT NULL,
    enterprise_id uuid NOT NULL,
    batch_id uuid NOT NULL,
    hired_on date NOT NULL,
    site jsonb,
    state text NOT NULL DEFAULT 'active',
    hired_at timestamptz NOT NULL,
    PRIMARY KEY (hire_id),
    CHECK (state IN ('active', 'ended')),
    FOREIGN KEY (worker_id) REFERENCES worker(worker_id)
);
CREATE UNIQUE INDEX hire_active ON hire (worker_id, enterprise_id) WHERE (state = 'active');
CREATE INDEX hire_enterprise ON hire (enterprise_id, hire_id);

CREATE TABLE erasure (
    erasure_id uuid NOT NULL,
    worker_id uuid NOT NULL,
    tenant_id uuid,
    requested_by uuid NOT NULL,
    requested_at timestamptz NOT NULL,
    done_at timestamptz,
    PRIMARY KEY (erasure_id),
    FOREIGN KEY (worker_id) REFERENCES worker(worker_id)
);
CREATE UNIQUE INDEX erasure_pending ON erasure (worker_id, tenant_id) NULLS NOT DISTINCT WHERE (done_at IS NULL);

CREATE TABLE reveal_audit (
    reveal_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    account_id uuid NOT NULL,
    purpose text NOT NULL,
    scope jsonb NOT NULL,
    fields text[] NOT NULL,
    revealed uuid[] NOT NULL,
    withheld uuid[] NOT NULL,
    revealed_at timestamptz NOT NULL,
    PRIMARY KEY (reveal_id)
);
CREATE INDEX reveal_audit_tenant ON reveal_audit (tenant_id, revealed_at);

CREATE TABLE doomed_key (
    key_id uuid NOT NULL,
    doomed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (key_id)
);

CREATE TABLE worker_batch (
    batch_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    kind text NOT NULL,
    drive_id uuid,
    division_code text NOT NULL,
    fingerprint bytea NOT NULL,
    file_extension text NOT NULL,
    byte_count integer NOT NULL,
    submitted_by uuid NOT NULL,
    submitted_on date NOT NULL,
    submitted_at timestamptz NOT NULL,
    state text NOT NULL DEFAULT 'received',
    row_count integer NOT NULL DEFAULT 0,
    accepted_count integer NOT NULL DEFAULT 0,
    rejected_count integer NOT NULL DEFAULT 0,
    duplicate_count integer NOT NULL DEFAULT 0,
    warning_count integer NOT NULL DEFAULT 0,
    nominated_count integer NOT NULL DEFAULT 0,
    group_count integer NOT NULL DEFAULT 0,
    had_already_nominated boolean NOT NULL DEFAULT false,
    layout jsonb,
    finished_at timestamptz,
    superseded_at timestamptz,
    PRIMARY KEY (batch_id),
    CHECK (kind IN ('origin_roster', 'new_hires')),
    CHECK (state IN ('received', 'validating', 'accepted', 'partly_accepted', 'rejected')),
    CHECK (row_count = (accepted_count + rejected_count + duplicate_count))
);
CREATE UNIQUE INDEX worker_batch_fingerprint ON worker_batch (tenant_id, fingerprint) WHERE (superseded_at IS NULL);
CREATE INDEX worker_batch_open ON worker_batch (batch_id) WHERE (state IN ('received', 'validating'));
CREATE INDEX worker_batch_tenant ON worker_batch (tenant_id, batch_id);

CREATE TABLE batch_file (
    batch_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    sealed bytea STORAGE EXTERNAL NOT NULL,
    PRIMARY KEY (batch_id),
    FOREIGN KEY (batch_id) REFERENCES worker_batch(batch_id)
);

CREATE TABLE batch_issue (
    batch_id uuid NOT NULL,
    issue_number integer NOT NULL,
    tenant_id uuid NOT NULL,
    row_number integer,
    column_letter text,
    header text,
    field text,
    code text NOT NULL,
    severity text NOT NULL,
    message text NOT NULL,
    value_masked text,
    first_row integer,
    PRIMARY KEY (batch_id, issue_number),
    CHECK (severity IN ('error', 'warning', 'info')),
    FOREIGN KEY (batch_id) REFERENCES worker_batch(batch_id)
);

CREATE TABLE batch_worker (
    batch_id uuid NOT NULL,
    row_number integer NOT NULL,
    tenant_id uuid NOT NULL,
    worker_id uuid NOT NULL,
    nomination_id uuid,
    hire_id uuid,
    PRIMARY KEY (batch_id, row_number),
    FOREIGN KEY (batch_id) REFERENCES worker_batch(batch_id)
);
CREATE INDEX batch_worker_worker ON batch_worker (worker_id);

CREATE TABLE rejected_row (
    rejected_row_id uuid NOT NULL,
    batch_id uuid NOT NULL,
    row_number integer NOT NULL,
    tenant_id uuid NOT NULL,
    blind_index bytea,
    sealed bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (rejected_row_id),
    UNIQUE (batch_id, row_number),
    FOREIGN KEY (batch_id) REFERENCES worker_batch(batch_id)
);
CREATE INDEX rejected_row_expiry ON rejected_row (expires_at);
CREATE INDEX rejected_row_person ON rejected_row (blind_index) WHERE (blind_index IS NOT NULL);

CREATE TABLE header_synonym (
    tenant_id uuid NOT NULL,
    word text NOT NULL,
    field text NOT NULL,
    PRIMARY KEY (tenant_id, word)
);

CREATE TABLE heard_drive (
    drive_id uuid NOT NULL,
    title text NOT NULL,
    state text NOT NULL,
    PRIMARY KEY (drive_id)
);

CREATE TABLE heard_placement (
    placement_id uuid NOT NULL,
    worker_id uuid NOT NULL,
    nomination_id uuid,
    office_id uuid,
    enterprise_id uuid,
    drive_id uuid,
    state text NOT NULL,
    ended_on date,
    origin_division_code text,
    site_division_code text,
    started_on date,
    PRIMARY KEY (placement_id),
    CHECK (state IN ('confirmed', 'started', 'cancelled', 'ended'))
);
CREATE INDEX heard_placement_nomination ON heard_placement (nomination_id);
CREATE INDEX heard_placement_started ON heard_placement (office_id, started_on) WHERE (started_on IS NOT NULL);
CREATE INDEX heard_placement_worker ON heard_placement (worker_id);

CREATE TABLE heard_trip (
    trip_id uuid NOT NULL,
    state text NOT NULL,
    PRIMARY KEY (trip_id),
    CHECK (state IN ('scheduled', 'open', 'departed', 'arrived', 'cancelled', 'closed'))
);

CREATE TABLE heard_booking (
    booking_id uuid NOT NULL,
    worker_id uuid NOT NULL,
    office_id uuid,
    enterprise_id uuid,
    trip_id uuid,
    state text NOT NULL,
    PRIMARY KEY (booking_id),
    CHECK (state IN ('booked', 'waitlisted', 'boarded', 'missed', 'released', 'handed_over'))
);
CREATE INDEX heard_booking_trip ON heard_booking (trip_id);
CREATE INDEX heard_booking_worker ON heard_booking (worker_id);

CREATE TABLE heard_stay (
    stay_id uuid NOT NULL,
    worker_id uuid NOT NULL,
    office_id uuid,
    enterprise_id uuid,
    inn_id uuid,
    check_in_on date,
    check_out_on date,
    state text NOT NULL,
    PRIMARY KEY (stay_id),
    CHECK (state IN ('requested', 'held', 'confirmed', 'waitlisted', 'rejected', 'released', 'checked_in', 'checked_out', 'missed'))
);
CREATE INDEX heard_stay_inn ON heard_stay (inn_id, check_in_on);
CREATE INDEX heard_stay_worker ON heard_stay (worker_id);

CREATE TABLE heard_retention (
    placement_id uuid NOT NULL,
    milestone_months integer NOT NULL,
    worker_id uuid NOT NULL,
    result text NOT NULL,
    answered_on date,
    due_on date,
    PRIMARY KEY (placement_id, milestone_months)
);

CREATE TYPE stranger AS (
    worker_id uuid,
    relation_id uuid,
    gender text,
    birth_year_month text,
    origin_division_code text,
    education_code text,
    certificate_codes text[],
    occupation_codes text[],
    preferred_pay_min integer,
    preferred_pay_max integer,
    poverty_lifted boolean,
    monitored boolean,
    name_sealed bytea,
    resident_id_sealed bytea,
    phone_sealed bytea,
    ethnicity_sealed bytea,
    education_sealed bytea,
    registered_residence_sealed bytea,
    present_residence_sealed bytea,
    emergency_contact_sealed bytea,
    emergency_phone_sealed bytea,
    certificates_sealed bytea,
    preferred_occupation_sealed bytea,
    notes_sealed bytea,
    row_number integer,
    nomination_id uuid,
    available_from date,
    boarding_place_code text,
    needs_bed boolean
);

CREATE FUNCTION app_tenant_id() RETURNS uuid LANGUAGE sql STABLE
    AS $$ SELECT NULLIF(current_setting('app.tenant_id', true), '')::uuid $$;

CREATE FUNCTION app_account_id() RETURNS uuid LANGUAGE sql STABLE
    AS $$ SELECT NULLIF(current_setting('app.account_id', true), '')::uuid $$;

CREATE FUNCTION app_tenant_kind() RETURNS text LANGUAGE sql STABLE
    AS $$ SELECT COALESCE(current_setting('app.tenant_kind', true), '') $$;

CREATE FUNCTION app_division_code() RETURNS text LANGUAGE sql STABLE
    AS $$ SELECT COALESCE(current_setting('app.division_code', true), '') $$;

CREATE FUNCTION app_has_role(role text) RETURNS boolean LANGUAGE sql STABLE
    AS $$ SELECT role = ANY (string_to_array(COALESCE(current_setting('app.roles', true), ''), ',')) $$;

CREATE FUNCTION app_inn_ids() RETURNS uuid[] LANGUAGE sql STABLE
    AS $$ SELECT COALESCE(string_to_array(NULLIF(current_setting('app.inn_ids', true), ''), ',')::uuid[], '{}'::uuid[]) $$;

CREATE FUNCTION app_sees_all() RETURNS boolean LANGUAGE sql STABLE
    AS $$ SELECT COALESCE(current_setting('app.tenant_kind', true), '') IN ('bureau', 'auditor') $$;

CREATE PROCEDURE protect(IN target regclass, IN predicate text) LANGUAGE plpgsql
    AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO registry_worker', target);
    EXECUTE format('GRANT SELECT ON %s TO registry_api', target);
    EXECUTE format('CREATE POLICY worker ON %s TO registry_worker USING (true) WITH CHECK (true)', target);
    EXECUTE format('CREATE POLICY caller ON %s FOR SELECT TO registry_api USING ((%s) OR app_sees_all())', target, predicate);
END $$;

CREATE PROCEDURE protect_plumbing(IN target regclass) LANGUAGE plpgsql
    AS $$
BEGIN
    EXECUTE format('REVOKE ALL ON %s FROM PUBLIC, registry_api', target);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO registry_worker', target);
END $$;

CREATE FUNCTION business_offset() RETURNS interval LANGUAGE sql STABLE SECURITY DEFINER SET search_path TO 'public'
    AS $$ SELECT offset_interval FROM business_clock $$;

CREATE FUNCTION business_now() RETURNS timestamp with time zone LANGUAGE sql STABLE
    AS $$ SELECT clock_timestamp() + business_offset() $$;

CREATE FUNCTION make_event_log_partitions() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path TO 'public' SET "TimeZone" TO 'UTC'
    AS $$
DECLARE
    first_day date;
    name text;
    made integer := 0;
BEGIN
    FOR ahead IN 0..2 LOOP
        first_day := date_trunc('month', clock_timestamp()) + ahead * interval '1 month';
        name := to_char(first_day, '"event_log_"YYYY_MM');
        CONTINUE WHEN to_regclass(name) IS NOT NULL;
        BEGIN
            EXECUTE format('CREATE TABLE %I PARTITION OF event_log FOR VALUES FROM (%L) TO (%L)',
                name, first_day::timestamptz, (first_day + interval '1 month')::timestamptz);
            made := made + 1;
        -- Another relay was faster, or rows of the month are in the default already: nothing is lost by either.
        EXCEPTION WHEN duplicate_table OR check_violation THEN NULL;
        END;
    END LOOP;
    RETURN made;
END $$;
REVOKE ALL ON FUNCTION make_event_log_partitions() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION make_event_log_partitions() TO registry_worker;

ALTER TABLE business_clock ENABLE ROW LEVEL SECURITY;
ALTER TABLE business_clock FORCE ROW LEVEL SECURITY;
GRANT SELECT ON business_clock TO registry_worker;
GRANT SELECT ON business_clock TO registry_api;
CREATE POLICY caller ON business_clock FOR SELECT TO registry_api
    USING (true OR app_sees_all());
CREATE POLICY owner_reads ON business_clock FOR SELECT TO registry_owner
    USING (true);
CREATE POLICY worker ON business_clock TO registry_worker
    USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON aggregate_sequence TO registry_worker;

GRANT SELECT, INSERT, UPDATE, DELETE ON outbox TO registry_worker;

GRANT SELECT, INSERT ON event_log TO registry_worker;

ALTER TABLE tenant ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON tenant TO registry_worker;
GRANT SELECT ON tenant TO registry_api;
CREATE POLICY caller ON tenant FOR SELECT TO registry_api
    USING (tenant_id = app_tenant_id() OR app_sees_all());
CREATE POLICY worker ON tenant TO registry_worker
    USING (true) WITH CHECK (true);

ALTER TABLE revocation ENABLE ROW LEVEL SECURITY;
ALTER TABLE revocation FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON revocation TO registry_worker;
GRANT SELECT ON revocation TO registry_api;
CREATE POLICY caller ON revocation FOR SELECT TO registry_api
    USING (false OR app_sees_all());
CREATE POLICY worker ON revocation TO registry_worker
    USING (true) WITH CHECK (true);

ALTER TABLE command_answer ENABLE ROW LEVEL SECURITY;
ALTER TABLE command_answer FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE ON command_answer TO registry_api;
GRANT SELECT, DELETE ON command_answer TO registry_worker;
CREATE POLICY own ON command_answer TO registry_api
    USING (account_id = app_account_id()) WITH CHECK (account_id = app_account_id());
CREATE POLICY pruning ON command_answer TO registry_worker
    USING (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON inbox TO registry_worker;

GRANT SELECT, INSERT, UPDATE, DELETE ON heard_sequence TO registry_worker;

ALTER TABLE dead_letter ENABLE ROW LEVEL SECURITY;
ALTER TABLE dead_letter FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE ON dead_letter TO registry_worker;
GRANT SELECT ON dead_letter TO registry_api;
CREATE POLICY caller ON dead_letter FOR SELECT TO registry_api
    USING (false OR app_sees_all());
CREATE POLICY worker ON dead_letter TO registry_worker
    USING (true) WITH CHECK (true);

ALTER TABLE worker ENABLE ROW LEVEL SECURITY;
ALTER TABLE worker FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON worker TO registry_worker;
GRANT SELECT ON worker TO registry_api;
CREATE POLICY caller ON worker FOR SELECT TO registry_api
    USING ((EXISTS ( SELECT 1 FROM relation r WHERE r.worker_id = worker.worker_id AND r.tenant_id = app_tenant_id())) OR app_sees_all());
CREATE POLICY worker ON worker TO registry_worker
    USING (true) WITH CHECK (true);

ALTER TABLE person_index ENABLE ROW LEVEL SECURITY;
ALTER TABLE person_index FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON person_index TO registry_worker;
GRANT SELECT ON person_index TO registry_api;
CREATE POLICY caller ON person_index FOR SELECT TO registry_api
    USING (false OR app_sees_all());
CREATE POLICY worker ON person_index TO registry_worker
    USING (true) WITH CHECK (true);

ALTER TABLE relation ENABLE ROW LEVEL SECURITY;
ALTER TABLE relation FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON relation TO registry_worker;
GRANT SELECT ON relation TO registry_api;
CREATE POLICY caller ON relation FOR SELECT TO registry_api
    USING (tenant_id = app_tenant_id() OR app_sees_all());
CREATE POLICY worker ON relation TO registry_worker
    USING (true) WITH CHECK (true);

ALTER TABLE nomination ENABLE ROW LEVEL SECURITY;
ALTER TABLE nomination FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON nomination TO registry_worker;
GRANT SELECT ON nomination TO registry_api;
CREATE POLICY caller ON nomination FOR SELECT TO registry_api
    USING (office_id = app_tenant_id() OR app_sees_all());
CREATE POLICY worker ON nomination TO registry_worker
    USING (true) WITH CHECK (true);

ALTER TABLE hire ENABLE ROW LEVEL SECURITY;
ALTER TABLE hire FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON hire TO registry_worker;
GRANT SELECT ON hire TO registry_api;
CREATE POLICY caller ON hire FOR SELECT TO registry_api
    USING (enterprise_id = app_tenant_id() OR app_sees_all());
CREATE POLICY worker ON hire TO registry_worker
    USING (true) WITH CHECK (true);

ALTER TABLE erasure ENABLE ROW LEVEL SECURITY;
ALTER TABLE erasure FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON erasure TO registry_worker;
GRANT SELECT ON erasure TO registry_api;
CREATE POLICY caller ON erasure FOR SELECT TO registry_api
    USING (tenant_id = app_tenant_id() OR app_sees_all());
CREATE POLICY worker ON erasure TO registry_worker
    USING (true) WITH CHECK (true);

ALTER TABLE reveal_audit ENABLE ROW LEVEL SECURITY;
ALTER TABLE reveal_audit FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON reveal_audit TO registry_worker;
GRANT SELECT ON reveal_audit TO registry_api;
CREATE POLICY caller ON reveal_audit FOR SELECT TO registry_api
    USING (tenant_id = app_tenant_id() OR app_sees_all());
CREATE POLICY worker ON reveal_audit TO registry_worker
    USING (true) WITH CHECK (true);

ALTER TABLE doomed_key ENABLE ROW LEVEL SECURITY;
ALTER TABLE doomed_key FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON doomed_key TO registry_worker;
GRANT SELECT ON doomed_key TO registry_api;
CREATE POLICY caller ON doomed_key FOR SELECT TO registry_api
    USING (false OR app_sees_all());
CREATE POLICY worker ON doomed_key TO registry_worker
    USING (true) WITH CHECK (true);

ALTER TABLE worker_batch ENABLE ROW LEVEL SECURITY;
ALTER TABLE worker_batch FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON worker_batch TO registry_worker;
GRANT SELECT ON worker_batch TO registry_api;
CREATE POLICY caller ON worker_batch FOR SELECT TO registry_api
    USING (tenant_id = app_tenant_id() OR app_sees_all());
CREATE POLICY worker ON worker_batch TO registry_worker
    USING (true) WITH CHECK (true);

ALTER TABLE batch_file ENABLE ROW LEVEL SECURITY;
ALTER TABLE batch_file FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON batch_file TO registry_worker;
GRANT SELECT ON batch_file TO registry_api;
CREATE POLICY caller ON batch_file FOR SELECT TO registry_api
    USING (false OR app_sees_all());
CREATE POLICY worker ON batch_file TO registry_worker
    USING (true) WITH CHECK (true);

ALTER TABLE batch_issue ENABLE ROW LEVEL SECURITY;
ALTER TABLE batch_issue FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON batch_issue TO registry_worker;
GRANT SELECT ON batch_issue TO registry_api;
CREATE POLICY caller ON batch_issue FOR SELECT TO registry_api
    USING (tenant_id = app_tenant_id() OR app_sees_all());
CREATE POLICY worker ON batch_issue TO registry_worker
    USING (true) WITH CHECK (true);

ALTER TABLE batch_worker ENABLE ROW LEVEL SECURITY;
ALTER TABLE batch_worker FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON batch_worker TO registry_worker;
GRANT SELECT ON batch_worker TO registry_api;
CREATE POLICY caller ON batch_worker FOR SELECT TO registry_api
    USING (tenant_id = app_tenant_id() OR app_sees_all());
CREATE POLICY worker ON batch_worker TO registry_worker
    USING (true) WITH CHECK (true);

ALTER TABLE rejected_row ENABLE ROW LEVEL SECURITY;
ALTER TABLE rejected_row FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON rejected_row TO registry_worker;
GRANT SELECT ON rejected_row TO registry_api;
CREATE POLICY caller ON rejected_row FOR SELECT TO registry_api
    USING (tenant_id = app_tenant_id() OR app_sees_all());
CREATE POLICY worker ON rejected_row TO registry_worker
    USING (true) WITH CHECK (true);

ALTER TABLE header_synonym ENABLE ROW LEVEL SECURITY;
ALTER TABLE header_synonym FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON header_synonym TO registry_worker;
GRANT SELECT ON header_synonym TO registry_api;
CREATE POLICY caller ON header_synonym FOR SELECT TO registry_api
    USING (tenant_id = app_tenant_id() OR app_sees_all());
CREATE POLICY worker ON header_synonym TO registry_worker
    USING (true) WITH CHECK (true);

ALTER TABLE heard_drive ENABLE ROW LEVEL SECURITY;
ALTER TABLE heard_drive FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON heard_drive TO registry_worker;
GRANT SELECT ON heard_drive TO registry_api;
CREATE POLICY caller ON heard_drive FOR SELECT TO registry_api
    USING (false OR app_sees_all());
CREATE POLICY worker ON heard_drive TO registry_worker
    USING (true) WITH CHECK (true);

ALTER TABLE heard_placement ENABLE ROW LEVEL SECURITY;
ALTER TABLE heard_placement FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON heard_placement TO registry_worker;
GRANT SELECT ON heard_placement TO registry_api;
CREATE POLICY caller ON heard_placement FOR SELECT TO registry_api
    USING (office_id = app_tenant_id() OR app_sees_all());
CREATE POLICY worker ON heard_placement TO registry_worker
    USING (true) WITH CHECK (true);

ALTER TABLE heard_trip ENABLE ROW LEVEL SECURITY;
ALTER TABLE heard_trip FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON heard_trip TO registry_worker;
GRANT SELECT ON heard_trip TO registry_api;
CREATE POLICY caller ON heard_trip FOR SELECT TO registry_api
    USING (false OR app_sees_all());
CREATE POLICY worker ON heard_trip TO registry_worker
    USING (true) WITH CHECK (true);

ALTER TABLE heard_booking ENABLE ROW LEVEL SECURITY;
ALTER TABLE heard_booking FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON heard_booking TO registry_worker;
GRANT SELECT ON heard_booking TO registry_api;
CREATE POLICY caller ON heard_booking FOR SELECT TO registry_api
    USING (false OR app_sees_all());
CREATE POLICY worker ON heard_booking TO registry_worker
    USING (true) WITH CHECK (true);

ALTER TABLE heard_stay ENABLE ROW LEVEL SECURITY;
ALTER TABLE heard_stay FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON heard_stay TO registry_worker;
GRANT SELECT ON heard_stay TO registry_api;
CREATE POLICY caller ON heard_stay FOR SELECT TO registry_api
    USING (false OR app_sees_all());
CREATE POLICY worker ON heard_stay TO registry_worker
    USING (true) WITH CHECK (true);

ALTER TABLE heard_retention ENABLE ROW LEVEL SECURITY;
ALTER TABLE heard_retention FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON heard_retention TO registry_worker;
GRANT SELECT ON heard_retention TO registry_api;
CREATE POLICY caller ON heard_retention FOR SELECT TO registry_api
    USING ((EXISTS ( SELECT FROM heard_placement p WHERE p.placement_id = heard_retention.placement_id)));
CREATE POLICY worker ON heard_retention TO registry_worker
    USING (true) WITH CHECK (true);

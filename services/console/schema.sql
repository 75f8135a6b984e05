-- The database of console as its migrations make it. Read this and change those;
-- `python -m stack.schema` writes it anew.

CREATE EXTENSION IF NOT EXISTS btree_gist;

SET ROLE console_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO console_api, console_worker;

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

CREATE TABLE account (
    account_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    name text NOT NULL,
    password_hash text NOT NULL,
    roles text[] NOT NULL DEFAULT '{}'::text[],
    totp_sealed bytea,
    active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    password_temporary boolean NOT NULL DEFAULT false,
    totp_step bigint,
    PRIMARY KEY (account_id),
    CHECK (name ~ '^[a-z0-9][a-z0-9._-]{1,62}$'),
    CHECK (roles <@ ARRAY['coordinator', 'escort', 'admin']),
    UNIQUE (name),
    FOREIGN KEY (tenant_id) REFERENCES tenant(tenant_id)
);
CREATE INDEX account_tenant ON account (tenant_id);

CREATE TABLE session (
    digest bytea NOT NULL,
    account_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    form_token text NOT NULL,
    made_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (digest),
    FOREIGN KEY (account_id) REFERENCES account(account_id)
);
CREATE INDEX session_account ON session (account_id);
CREATE INDEX session_expiry ON session (expires_at);

CREATE TABLE failed_sign_in (
    name text NOT NULL,
    failed_at timestamptz NOT NULL
);
CREATE INDEX failed_sign_in_name ON failed_sign_in (name, failed_at);

CREATE TABLE feed_position (
    singleton boolean NOT NULL DEFAULT true,
    last_feed_id bigint NOT NULL,
    PRIMARY KEY (singleton),
    CHECK (singleton)
);

CREATE TABLE event (
    feed_id bigint NOT NULL,
    event_id uuid NOT NULL,
    type text NOT NULL,
    service text NOT NULL,
    subject text NOT NULL,
    sequence bigint NOT NULL,
    tenant_id uuid NOT NULL,
    journey_id uuid,
    causation_id uuid,
    said_at timestamptz NOT NULL,
    heard_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    audience uuid[] NOT NULL DEFAULT '{}'::uuid[],
    origins text[] NOT NULL DEFAULT '{}'::text[],
    trip_id uuid,
    inn_id uuid,
    body jsonb NOT NULL,
    PRIMARY KEY (feed_id)
);
CREATE INDEX event_journey ON event (journey_id, feed_id);
CREATE UNIQUE INDEX event_once ON event (event_id);
CREATE INDEX event_said ON event (said_at);
CREATE INDEX event_subject ON event (subject, feed_id);
CREATE INDEX event_tenant ON event USING gin (audience);
CREATE INDEX event_type ON event (type, feed_id);

CREATE TABLE trip_tenant (
    trip_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    PRIMARY KEY (trip_id, tenant_id)
);

CREATE TABLE fact (
    source text NOT NULL,
    subject text NOT NULL,
    journey_id uuid NOT NULL,
    noun text NOT NULL,
    state text NOT NULL,
    since timestamptz NOT NULL,
    made_at timestamptz NOT NULL,
    data jsonb NOT NULL,
    PRIMARY KEY (source, subject)
);
CREATE INDEX fact_journey ON fact (journey_id);

CREATE TABLE journey (
    journey_id uuid NOT NULL,
    worker_id uuid NOT NULL,
    office_id uuid,
    enterprise_id uuid,
    nomination_id uuid,
    hire_id uuid,
    placement_id uuid,
    drive_id uuid,
    inn_id uuid,
    state text NOT NULL,
    waiting_for text,
    service text,
    since timestamptz NOT NULL,
    due_at timestamptz,
    PRIMARY KEY (journey_id),
    CHECK (state IN ('moving', 'waiting', 'settled', 'done', 'compensated'))
);
CREATE INDEX journey_drive ON journey (drive_id, state);
CREATE INDEX journey_due ON journey (due_at) WHERE (due_at IS NOT NULL);
CREATE INDEX journey_enterprise ON journey (enterprise_id, state);
CREATE INDEX journey_office ON journey (office_id, state);
CREATE INDEX journey_placement ON journey (placement_id);
CREATE INDEX journey_state ON journey (state, since);
CREATE INDEX journey_worker ON journey (worker_id);

CREATE TABLE task (
    kind text NOT NULL,
    subject text NOT NULL,
    journey_id uuid NOT NULL,
    service text NOT NULL,
    worker_id uuid NOT NULL,
    office_id uuid,
    enterprise_id uuid,
    inn_id uuid,
    drive_id uuid,
    opened_at timestamptz NOT NULL,
    due_at timestamptz,
    closed_at timestamptz,
    data jsonb NOT NULL DEFAULT '{}'::jsonb,
    PRIMARY KEY (kind, subject)
);
CREATE INDEX task_journey ON task (journey_id);
CREATE INDEX task_open ON task (opened_at) WHERE (closed_at IS NULL);

CREATE TABLE thing (
    subject text NOT NULL,
    noun text NOT NULL,
    state text NOT NULL,
    data jsonb NOT NULL,
    audience uuid[] NOT NULL DEFAULT '{}'::uuid[],
    origins text[] NOT NULL DEFAULT '{}'::text[],
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (subject)
);
CREATE INDEX thing_noun ON thing (noun);

CREATE TABLE export_log (
    export_id uuid NOT NULL,
    account_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    list text NOT NULL,
    format text NOT NULL,
    filters jsonb NOT NULL,
    row_count integer NOT NULL,
    exported_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (export_id),
    CHECK (list IN ('journeys', 'tasks', 'events')),
    CHECK (format IN ('csv', 'xlsx', 'jsonl'))
);
CREATE INDEX export_log_tenant ON export_log (tenant_id, export_id);

CREATE TABLE recovery_code (
    account_id uuid NOT NULL,
    digest bytea NOT NULL,
    PRIMARY KEY (account_id, digest),
    FOREIGN KEY (account_id) REFERENCES account(account_id)
);

CREATE TABLE named_filter (
    name text NOT NULL,
    type text,
    service text,
    tenant_id uuid,
    account_id uuid NOT NULL,
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (name),
    CHECK (length(name) >= 1 AND length(name) <= 60)
);

CREATE TABLE web_hook (
    web_hook_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    title text NOT NULL,
    url text NOT NULL,
    event_types text[] NOT NULL,
    state text NOT NULL DEFAULT 'active',
    paused_why text,
    secret_sealed bytea NOT NULL,
    previous_sealed bytea,
    previous_until timestamptz,
    failing_since timestamptz,
    failure_count integer NOT NULL DEFAULT 0,
    rests_until timestamptz,
    delivered_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (web_hook_id),
    CHECK (length(url) <= 500),
    CHECK (cardinality(event_types) > 0),
    CHECK (state IN ('active', 'paused')),
    CHECK (paused_why IN ('by_hand', 'failing', 'gone')),
    CHECK ((state = 'paused') = (paused_why IS NOT NULL)),
    UNIQUE (tenant_id, url),
    FOREIGN KEY (tenant_id) REFERENCES tenant(tenant_id)
);

CREATE TABLE hook_delivery (
    web_hook_id uuid NOT NULL,
    event_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    event_type text NOT NULL,
    trial boolean NOT NULL DEFAULT false,
    state text NOT NULL DEFAULT 'waiting',
    attempt_count integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    attempted_at timestamptz,
    delivered_at timestamptz,
    status integer,
    error text,
    replay_count integer NOT NULL DEFAULT 0,
    replayed_at timestamptz,
    replayed_by uuid,
    CONSTRAINT hook_delivery_once PRIMARY KEY (web_hook_id, event_id),
    CHECK (state IN ('waiting', 'delivered', 'failed'))
) WITH (autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=20000);
CREATE INDEX hook_delivery_age ON hook_delivery (made_at);
CREATE INDEX hook_delivery_due ON hook_delivery (web_hook_id, due_at) WHERE (state = 'waiting');
CREATE INDEX hook_delivery_failed ON hook_delivery (web_hook_id, made_at) WHERE (state = 'failed');
CREATE INDEX hook_delivery_list ON hook_delivery (web_hook_id, made_at, event_id);
CREATE INDEX hook_delivery_trial ON hook_delivery (web_hook_id) WHERE ((state = 'waiting') AND trial);

CREATE TABLE web_hook_log (
    log_id uuid NOT NULL,
    web_hook_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    account_id uuid,
    action text NOT NULL,
    delivery_count integer,
    done_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (log_id),
    CHECK (action IN ('registered', 'changed', 'paused', 'resumed', 'rotated', 'tried', 'replayed', 'deleted'))
);
CREATE INDEX web_hook_log_hook ON web_hook_log (web_hook_id, log_id);

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
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO console_worker', target);
    EXECUTE format('GRANT SELECT ON %s TO console_api', target);
    EXECUTE format('CREATE POLICY worker ON %s TO console_worker USING (true) WITH CHECK (true)', target);
    EXECUTE format('CREATE POLICY caller ON %s FOR SELECT TO console_api USING ((%s) OR app_sees_all())', target, predicate);
END $$;

CREATE PROCEDURE protect_plumbing(IN target regclass) LANGUAGE plpgsql
    AS $$
BEGIN
    EXECUTE format('REVOKE ALL ON %s FROM PUBLIC, console_api', target);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO console_worker', target);
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
GRANT EXECUTE ON FUNCTION make_event_log_partitions() TO console_worker;

CREATE FUNCTION division_within(code text, area text) RETURNS boolean LANGUAGE sql IMMUTABLE
    AS $$ SELECT area <> '' AND code LIKE regexp_replace(area, '(00){1,3}$', '') || '%' $$;

ALTER TABLE business_clock ENABLE ROW LEVEL SECURITY;
ALTER TABLE business_clock FORCE ROW LEVEL SECURITY;
GRANT SELECT ON business_clock TO console_worker;
GRANT SELECT ON business_clock TO console_api;
CREATE POLICY caller ON business_clock FOR SELECT TO console_api
    USING (true OR app_sees_all());
CREATE POLICY owner_reads ON business_clock FOR SELECT TO console_owner
    USING (true);
CREATE POLICY worker ON business_clock TO console_worker
    USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON aggregate_sequence TO console_worker;

GRANT SELECT, INSERT, UPDATE, DELETE ON outbox TO console_worker;

GRANT SELECT, INSERT ON event_log TO console_worker;

ALTER TABLE tenant ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON tenant TO console_worker;
GRANT SELECT ON tenant TO console_api;
CREATE POLICY caller ON tenant FOR SELECT TO console_api
    USING (tenant_id = app_tenant_id() OR app_sees_all());
CREATE POLICY worker ON tenant TO console_worker
    USING (true) WITH CHECK (true);

ALTER TABLE revocation ENABLE ROW LEVEL SECURITY;
ALTER TABLE revocation FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON revocation TO console_worker;
GRANT SELECT ON revocation TO console_api;
CREATE POLICY caller ON revocation FOR SELECT TO console_api
    USING (false OR app_sees_all());
CREATE POLICY worker ON revocation TO console_worker
    USING (true) WITH CHECK (true);

ALTER TABLE command_answer ENABLE ROW LEVEL SECURITY;
ALTER TABLE command_answer FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE ON command_answer TO console_api;
GRANT SELECT, DELETE ON command_answer TO console_worker;
CREATE POLICY own ON command_answer TO console_api
    USING (account_id = app_account_id()) WITH CHECK (account_id = app_account_id());
CREATE POLICY pruning ON command_answer TO console_worker
    USING (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON inbox TO console_worker;

GRANT SELECT, INSERT, UPDATE, DELETE ON heard_sequence TO console_worker;

ALTER TABLE dead_letter ENABLE ROW LEVEL SECURITY;
ALTER TABLE dead_letter FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE ON dead_letter TO console_worker;
GRANT SELECT ON dead_letter TO console_api;
CREATE POLICY caller ON dead_letter FOR SELECT TO console_api
    USING (false OR app_sees_all());
CREATE POLICY worker ON dead_letter TO console_worker
    USING (true) WITH CHECK (true);

ALTER TABLE account ENABLE ROW LEVEL SECURITY;
ALTER TABLE account FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON account TO console_worker;
GRANT SELECT ON account TO console_api;
CREATE POLICY caller ON account FOR SELECT TO console_api
    USING (tenant_id = app_tenant_id() OR app_sees_all());
CREATE POLICY worker ON account TO console_worker
    USING (true) WITH CHECK (true);

ALTER TABLE session ENABLE ROW LEVEL SECURITY;
ALTER TABLE session FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON session TO console_worker;
GRANT SELECT ON session TO console_api;
CREATE POLICY caller ON session FOR SELECT TO console_api
    USING (false OR app_sees_all());
CREATE POLICY worker ON session TO console_worker
    USING (true) WITH CHECK (true);

ALTER TABLE failed_sign_in ENABLE ROW LEVEL SECURITY;
ALTER TABLE failed_sign_in FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON failed_sign_in TO console_worker;
GRANT SELECT ON failed_sign_in TO console_api;
CREATE POLICY caller ON failed_sign_in FOR SELECT TO console_api
    USING (false OR app_sees_all());
CREATE POLICY worker ON failed_sign_in TO console_worker
    USING (true) WITH CHECK (true);

ALTER TABLE feed_position ENABLE ROW LEVEL SECURITY;
ALTER TABLE feed_position FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON feed_position TO console_worker;
GRANT SELECT ON feed_position TO console_api;
CREATE POLICY caller ON feed_position FOR SELECT TO console_api
    USING (true OR app_sees_all());
CREATE POLICY worker ON feed_position TO console_worker
    USING (true) WITH CHECK (true);

ALTER TABLE event ENABLE ROW LEVEL SECURITY;
ALTER TABLE event FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON event TO console_worker;
GRANT SELECT ON event TO console_api;
CREATE POLICY caller ON event FOR SELECT TO console_api
    USING ((app_tenant_id() = ANY (audience)) OR (inn_id = ANY (app_inn_ids())) OR service = 'transport' AND audience = '{}'::uuid[] AND (trip_id IN ( SELECT t.trip_id FROM trip_tenant t)) OR app_tenant_kind() = 'office' AND (EXISTS ( SELECT FROM unnest(event.origins) o(o) WHERE division_within(app_division_code(), o.o) OR division_within(o.o, app_division_code()))) OR app_sees_all());
CREATE POLICY worker ON event TO console_worker
    USING (true) WITH CHECK (true);

ALTER TABLE trip_tenant ENABLE ROW LEVEL SECURITY;
ALTER TABLE trip_tenant FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON trip_tenant TO console_worker;
GRANT SELECT ON trip_tenant TO console_api;
CREATE POLICY caller ON trip_tenant FOR SELECT TO console_api
    USING (tenant_id = app_tenant_id() OR app_sees_all());
CREATE POLICY worker ON trip_tenant TO console_worker
    USING (true) WITH CHECK (true);

ALTER TABLE fact ENABLE ROW LEVEL SECURITY;
ALTER TABLE fact FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON fact TO console_worker;
GRANT SELECT ON fact TO console_api;
CREATE POLICY caller ON fact FOR SELECT TO console_api
    USING (false OR app_sees_all());
CREATE POLICY worker ON fact TO console_worker
    USING (true) WITH CHECK (true);

ALTER TABLE journey ENABLE ROW LEVEL SECURITY;
ALTER TABLE journey FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON journey TO console_worker;
GRANT SELECT ON journey TO console_api;
CREATE POLICY caller ON journey FOR SELECT TO console_api
    USING (office_id = app_tenant_id() OR enterprise_id = app_tenant_id() OR (inn_id = ANY (app_inn_ids())) OR app_sees_all());
CREATE POLICY worker ON journey TO console_worker
    USING (true) WITH CHECK (true);

ALTER TABLE task ENABLE ROW LEVEL SECURITY;
ALTER TABLE task FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON task TO console_worker;
GRANT SELECT ON task TO console_api;
CREATE POLICY caller ON task FOR SELECT TO console_api
    USING (office_id = app_tenant_id() OR enterprise_id = app_tenant_id() OR (inn_id = ANY (app_inn_ids())) OR app_sees_all());
CREATE POLICY worker ON task TO console_worker
    USING (true) WITH CHECK (true);

ALTER TABLE thing ENABLE ROW LEVEL SECURITY;
ALTER TABLE thing FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON thing TO console_worker;
GRANT SELECT ON thing TO console_api;
CREATE POLICY caller ON thing FOR SELECT TO console_api
    USING (noun = 'inn' OR (app_tenant_id() = ANY (audience)) OR noun = 'trip' AND (split_part(subject, '/', 2)::uuid IN ( SELECT t.trip_id FROM trip_tenant t)) OR app_tenant_kind() = 'office' AND (EXISTS ( SELECT FROM unnest(thing.origins) o(o) WHERE division_within(app_division_code(), o.o) OR division_within(o.o, app_division_code()))) OR app_sees_all());
CREATE POLICY worker ON thing TO console_worker
    USING (true) WITH CHECK (true);

ALTER TABLE export_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE export_log FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON export_log TO console_worker;
GRANT SELECT ON export_log TO console_api;
CREATE POLICY caller ON export_log FOR SELECT TO console_api
    USING (tenant_id = app_tenant_id() OR app_sees_all());
CREATE POLICY worker ON export_log TO console_worker
    USING (true) WITH CHECK (true);

ALTER TABLE recovery_code ENABLE ROW LEVEL SECURITY;
ALTER TABLE recovery_code FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON recovery_code TO console_worker;
GRANT SELECT ON recovery_code TO console_api;
CREATE POLICY caller ON recovery_code FOR SELECT TO console_api
    USING (false OR app_sees_all());
CREATE POLICY worker ON recovery_code TO console_worker
    USING (true) WITH CHECK (true);

ALTER TABLE named_filter ENABLE ROW LEVEL SECURITY;
ALTER TABLE named_filter FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON named_filter TO console_worker;
GRANT SELECT ON named_filter TO console_api;
CREATE POLICY caller ON named_filter FOR SELECT TO console_api
    USING (false OR app_sees_all());
CREATE POLICY worker ON named_filter TO console_worker
    USING (true) WITH CHECK (true);

ALTER TABLE web_hook ENABLE ROW LEVEL SECURITY;
ALTER TABLE web_hook FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON web_hook TO console_worker;
GRANT SELECT ON web_hook TO console_api;
CREATE POLICY caller ON web_hook FOR SELECT TO console_api
    USING (tenant_id = app_tenant_id() AND app_has_role('admin') OR app_sees_all());
CREATE POLICY worker ON web_hook TO console_worker
    USING (true) WITH CHECK (true);

ALTER TABLE hook_delivery ENABLE ROW LEVEL SECURITY;
ALTER TABLE hook_delivery FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON hook_delivery TO console_worker;
GRANT SELECT ON hook_delivery TO console_api;
CREATE POLICY caller ON hook_delivery FOR SELECT TO console_api
    USING (tenant_id = app_tenant_id() AND app_has_role('admin') OR app_sees_all());
CREATE POLICY worker ON hook_delivery TO console_worker
    USING (true) WITH CHECK (true);

ALTER TABLE web_hook_log ENABLE ROW LEVEL SECURITY;
ALTER TABLE web_hook_log FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT ON web_hook_log TO console_worker;
GRANT SELECT ON web_hook_log TO console_api;
CREATE POLICY caller ON web_hook_log FOR SELECT TO console_api
    USING (tenant_id = app_tenant_id() AND app_has_role('admin') OR app_sees_all());
CREATE POLICY worker ON web_hook_log TO console_worker
    USING (true) WITH CHECK (true);

-- The database of lodging as its migrations make it. Read this and change those;
-- `python -m stack.schema` writes it anew.

CREATE EXTENSION IF NOT EXISTS btree_gist;

SET ROLE lodging_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO lodging_api, lodging_worker;

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

CREATE TABLE programme (
    code text NOT NULL,
    rule_version integer NOT NULL,
    PRIMARY KEY (code),
    CHECK (code <> '')
);

CREATE TABLE programme_rule (
    code text NOT NULL,
    rule_version integer NOT NULL,
    hire_window_days integer NOT NULL,
    night_cap integer NOT NULL,
    hold_minutes integer NOT NULL,
    cut_off time without time zone NOT NULL,
    priorities jsonb NOT NULL DEFAULT '[]'::jsonb,
    valid_since timestamptz NOT NULL,
    PRIMARY KEY (code, rule_version),
    CHECK (rule_version > 0),
    CHECK (hire_window_days >= 0),
    CHECK (night_cap > 0),
    CHECK (hold_minutes > 0),
    FOREIGN KEY (code) REFERENCES programme(code)
);

CREATE TABLE inn (
    inn_id uuid NOT NULL,
    name text NOT NULL,
    town text NOT NULL,
    division_code text NOT NULL,
    programmes text[] NOT NULL DEFAULT '{}'::text[],
    opened_at timestamptz NOT NULL,
    PRIMARY KEY (inn_id)
);

CREATE TABLE room (
    room_id uuid NOT NULL,
    inn_id uuid NOT NULL,
    name text NOT NULL,
    PRIMARY KEY (room_id),
    UNIQUE (inn_id, name),
    FOREIGN KEY (inn_id) REFERENCES inn(inn_id)
);

CREATE TABLE bed (
    bed_id uuid NOT NULL,
    inn_id uuid NOT NULL,
    room_id uuid NOT NULL,
    name text NOT NULL,
    PRIMARY KEY (bed_id),
    UNIQUE (room_id, name),
    FOREIGN KEY (inn_id) REFERENCES inn(inn_id),
    FOREIGN KEY (room_id) REFERENCES room(room_id)
);
CREATE INDEX bed_inn ON bed (inn_id);

CREATE TABLE out_of_service (
    period_id uuid NOT NULL,
    bed_id uuid NOT NULL,
    inn_id uuid NOT NULL,
    nights daterange NOT NULL,
    reason text NOT NULL,
    ended_at timestamptz,
    PRIMARY KEY (period_id),
    CHECK (NOT isempty(nights)),
    FOREIGN KEY (bed_id) REFERENCES bed(bed_id),
    FOREIGN KEY (inn_id) REFERENCES inn(inn_id)
);
CREATE INDEX out_of_service_inn ON out_of_service (inn_id) WHERE (ended_at IS NULL);

CREATE TABLE key_enterprise (
    uscc text NOT NULL,
    name text NOT NULL,
    credit_level text NOT NULL,
    valid_from date NOT NULL,
    valid_to date,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (uscc),
    CHECK (credit_level IN ('A', 'B', 'C', 'revoked')),
    CHECK (valid_to >= valid_from)
);

CREATE TABLE credit_change (
    credit_change_id uuid NOT NULL,
    uscc text NOT NULL,
    enterprise_id uuid,
    from_level text,
    level text NOT NULL,
    reason text NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (credit_change_id)
);
CREATE INDEX credit_change_uscc ON credit_change (uscc, changed_at);

CREATE TABLE credit_breach (
    stay_id uuid NOT NULL,
    kind text NOT NULL,
    enterprise_id uuid NOT NULL,
    at timestamptz NOT NULL,
    spent boolean NOT NULL DEFAULT false,
    PRIMARY KEY (stay_id, kind),
    CHECK (kind IN ('no_show', 'overstay'))
);
CREATE INDEX credit_breach_enterprise ON credit_breach (enterprise_id) WHERE (NOT spent);

CREATE TABLE credit_commitment (
    credit_commitment_id uuid NOT NULL,
    enterprise_id uuid NOT NULL,
    programme text NOT NULL,
    state text NOT NULL,
    given_at timestamptz NOT NULL,
    withdrawn_at timestamptz,
    PRIMARY KEY (credit_commitment_id),
    CHECK (state IN ('standing', 'withdrawn')),
    FOREIGN KEY (programme) REFERENCES programme(code)
);
CREATE UNIQUE INDEX credit_commitment_standing ON credit_commitment (enterprise_id, programme) WHERE (state = 'standing');

CREATE TABLE erased_worker (
    worker_id uuid NOT NULL,
    PRIMARY KEY (worker_id)
);

CREATE TABLE hire (
    hire_id uuid NOT NULL,
    worker_id uuid NOT NULL,
    enterprise_id uuid NOT NULL,
    hired_on date NOT NULL,
    gender text NOT NULL,
    town text,
    division_code text,
    PRIMARY KEY (hire_id)
);
CREATE INDEX hire_worker ON hire (worker_id);

CREATE TABLE placement (
    placement_id uuid NOT NULL,
    nomination_id uuid NOT NULL,
    worker_id uuid NOT NULL,
    gender text NOT NULL,
    office_id uuid NOT NULL,
    enterprise_id uuid NOT NULL,
    town text NOT NULL,
    division_code text NOT NULL,
    starts_on date NOT NULL,
    hired_on date NOT NULL,
    needs_seat boolean NOT NULL,
    needs_bed boolean NOT NULL,
    programme text,
    nights integer,
    group_id uuid,
    group_size integer NOT NULL,
    priority integer NOT NULL,
    PRIMARY KEY (placement_id)
);
CREATE INDEX placement_group ON placement (group_id) WHERE (group_id IS NOT NULL);
CREATE INDEX placement_worker ON placement (worker_id);

CREATE TABLE placement_end (
    placement_id uuid NOT NULL,
    PRIMARY KEY (placement_id)
);

CREATE TABLE booking (
    booking_id uuid NOT NULL,
    worker_id uuid NOT NULL,
    placement_id uuid,
    state text NOT NULL,
    arrives_at timestamptz,
    reason text,
    rebooked_as uuid,
    PRIMARY KEY (booking_id),
    CHECK (state IN ('pooled', 'booked', 'released', 'boarded', 'missed', 'handed_over'))
);
CREATE INDEX booking_worker ON booking (worker_id);

CREATE TABLE unsettled (
    unsettled_id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    worker_id uuid NOT NULL,
    cause_id uuid,
    traceparent text,
    PRIMARY KEY (unsettled_id)
);

CREATE TABLE stay_request (
    stay_request_id uuid NOT NULL,
    enterprise_id uuid NOT NULL,
    programme text NOT NULL,
    check_in_on date NOT NULL,
    nights integer NOT NULL,
    together boolean NOT NULL,
    wait boolean NOT NULL,
    inn_id uuid,
    requested_at timestamptz NOT NULL,
    PRIMARY KEY (stay_request_id),
    CHECK (nights > 0)
);
CREATE INDEX stay_request_enterprise ON stay_request (enterprise_id, stay_request_id);

CREATE TABLE stay (
    stay_id uuid NOT NULL,
    origin text NOT NULL,
    worker_id uuid NOT NULL,
    gender text,
    enterprise_id uuid NOT NULL,
    check_in_on date NOT NULL,
    check_out_on date NOT NULL,
    requested_at timestamptz NOT NULL,
    state text NOT NULL,
    office_id uuid,
    placement_id uuid,
    nomination_id uuid,
    hire_id uuid,
    booking_id uuid,
    stay_request_id uuid,
    journey_id uuid,
    announced boolean NOT NULL,
    programme text,
    rule_version integer NOT NULL,
    programme_asked text,
    nights_asked integer,
    wait boolean NOT NULL,
    wanted_inn_id uuid,
    group_id uuid,
    group_size integer NOT NULL,
    family_id uuid,
    town text,
    division_code text,
    priority integer NOT NULL,
    ready_at timestamptz,
    passed_count integer NOT NULL,
    inn_id uuid,
    bed_id uuid,
    arrival_on date,
    expected_at timestamptz,
    cut_off_at timestamptz,
    expires_at timestamptz,
    town_missing boolean NOT NULL,
    reason text,
    rule text,
    decision jsonb NOT NULL,
    decided_at timestamptz,
    granted_nights integer NOT NULL,
    given_back_nights integer NOT NULL,
    checked_in_at timestamptz,
    checked_out_at timestamptz,
    missed_at timestamptz,
    overstayed_at timestamptz,
    next_home text,
    next_home_asked_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    cause_id uuid,
    traceparent text,
    overstayed_nights integer NOT NULL DEFAULT 0,
    PRIMARY KEY (stay_id),
    CHECK (origin IN ('placement', 'direct')),
    CHECK (check_out_on >= check_in_on),
    CHECK (next_home IN ('long_stay_home', 'dormitory', 'own', 'home_region', 'other')),
    CONSTRAINT stay_check1 CHECK ((bed_id IS NULL) = (inn_id IS NULL)),
    CHECK (overstayed_nights >= 0)
);
CREATE INDEX stay_cut_off ON stay (cut_off_at) WHERE (state = 'confirmed');
CREATE INDEX stay_elsewhere ON stay (stay_id) WHERE town_missing;
CREATE INDEX stay_enterprise ON stay (enterprise_id, stay_id);
CREATE INDEX stay_group ON stay (group_id) WHERE (group_id IS NOT NULL);
CREATE INDEX stay_hold ON stay (expires_at) WHERE (state = 'held');
CREATE INDEX stay_in_house ON stay (check_out_on) WHERE (state = 'checked_in');
CREATE INDEX stay_inn ON stay (inn_id, check_in_on);
CREATE UNIQUE INDEX stay_of_placement ON stay (placement_id) WHERE ((origin = 'placement') AND (state IN ('requested', 'waitlisted', 'held', 'confirmed', 'checked_in')));
CREATE INDEX stay_office ON stay (office_id, stay_id);
CREATE INDEX stay_placement ON stay (placement_id);
CREATE INDEX stay_undecided ON stay (state, ready_at) WHERE (state IN ('requested', 'waitlisted'));
CREATE INDEX stay_worker ON stay (worker_id);

CREATE TABLE occupancy (
    stay_id uuid NOT NULL,
    bed_id uuid NOT NULL,
    room_id uuid NOT NULL,
    inn_id uuid NOT NULL,
    worker_id uuid NOT NULL,
    gender text NOT NULL,
    family_id uuid NOT NULL,
    nights daterange NOT NULL,
    PRIMARY KEY (stay_id, nights),
    CHECK (gender IN ('female', 'male')),
    CHECK (NOT isempty(nights)),
    CONSTRAINT occupancy_bed EXCLUDE USING gist (bed_id WITH =, nights WITH &&),
    CONSTRAINT occupancy_worker EXCLUDE USING gist (worker_id WITH =, nights WITH &&),
    CONSTRAINT occupancy_gender EXCLUDE USING gist (room_id WITH =, nights WITH &&, ( CASE gender WHEN 'male' THEN 1 ELSE 0 END) WITH <>, family_id WITH <>),
    FOREIGN KEY (bed_id) REFERENCES bed(bed_id)
);
CREATE INDEX occupancy_inn ON occupancy (inn_id);

CREATE TABLE allocation (
    singleton boolean NOT NULL DEFAULT true,
    freed boolean NOT NULL DEFAULT false,
    PRIMARY KEY (singleton),
    CHECK (singleton)
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
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO lodging_worker', target);
    EXECUTE format('GRANT SELECT ON %s TO lodging_api', target);
    EXECUTE format('CREATE POLICY worker ON %s TO lodging_worker USING (true) WITH CHECK (true)', target);
    EXECUTE format('CREATE POLICY caller ON %s FOR SELECT TO lodging_api USING ((%s) OR app_sees_all())', target, predicate);
END $$;

CREATE PROCEDURE protect_plumbing(IN target regclass) LANGUAGE plpgsql
    AS $$
BEGIN
    EXECUTE format('REVOKE ALL ON %s FROM PUBLIC, lodging_api', target);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO lodging_worker', target);
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
GRANT EXECUTE ON FUNCTION make_event_log_partitions() TO lodging_worker;

ALTER TABLE business_clock ENABLE ROW LEVEL SECURITY;
ALTER TABLE business_clock FORCE ROW LEVEL SECURITY;
GRANT SELECT ON business_clock TO lodging_worker;
GRANT SELECT ON business_clock TO lodging_api;
CREATE POLICY caller ON business_clock FOR SELECT TO lodging_api
    USING (true OR app_sees_all());
CREATE POLICY owner_reads ON business_clock FOR SELECT TO lodging_owner
    USING (true);
CREATE POLICY worker ON business_clock TO lodging_worker
    USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON aggregate_sequence TO lodging_worker;

GRANT SELECT, INSERT, UPDATE, DELETE ON outbox TO lodging_worker;

GRANT SELECT, INSERT ON event_log TO lodging_worker;

ALTER TABLE tenant ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON tenant TO lodging_worker;
GRANT SELECT ON tenant TO lodging_api;
CREATE POLICY caller ON tenant FOR SELECT TO lodging_api
    USING (tenant_id = app_tenant_id() OR app_sees_all());
CREATE POLICY worker ON tenant TO lodging_worker
    USING (true) WITH CHECK (true);

ALTER TABLE revocation ENABLE ROW LEVEL SECURITY;
ALTER TABLE revocation FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON revocation TO lodging_worker;
GRANT SELECT ON revocation TO lodging_api;
CREATE POLICY caller ON revocation FOR SELECT TO lodging_api
    USING (false OR app_sees_all());
CREATE POLICY worker ON revocation TO lodging_worker
    USING (true) WITH CHECK (true);

ALTER TABLE command_answer ENABLE ROW LEVEL SECURITY;
ALTER TABLE command_answer FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE ON command_answer TO lodging_api;
GRANT SELECT, DELETE ON command_answer TO lodging_worker;
CREATE POLICY own ON command_answer TO lodging_api
    USING (account_id = app_account_id()) WITH CHECK (account_id = app_account_id());
CREATE POLICY pruning ON command_answer TO lodging_worker
    USING (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON inbox TO lodging_worker;

GRANT SELECT, INSERT, UPDATE, DELETE ON heard_sequence TO lodging_worker;

ALTER TABLE dead_letter ENABLE ROW LEVEL SECURITY;
ALTER TABLE dead_letter FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE ON dead_letter TO lodging_worker;
GRANT SELECT ON dead_letter TO lodging_api;
CREATE POLICY caller ON dead_letter FOR SELECT TO lodging_api
    USING (false OR app_sees_all());
CREATE POLICY worker ON dead_letter TO lodging_worker
    USING (true) WITH CHECK (true);

ALTER TABLE programme ENABLE ROW LEVEL SECURITY;
ALTER TABLE programme FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON programme TO lodging_worker;
GRANT SELECT ON programme TO lodging_api;
CREATE POLICY caller ON programme FOR SELECT TO lodging_api
    USING (true OR app_sees_all());
CREATE POLICY worker ON programme TO lodging_worker
    USING (true) WITH CHECK (true);

ALTER TABLE programme_rule ENABLE ROW LEVEL SECURITY;
ALTER TABLE programme_rule FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON programme_rule TO lodging_worker;
GRANT SELECT ON programme_rule TO lodging_api;
CREATE POLICY caller ON programme_rule FOR SELECT TO lodging_api
    USING (true OR app_sees_all());
CREATE POLICY worker ON programme_rule TO lodging_worker
    USING (true) WITH CHECK (true);

ALTER TABLE inn ENABLE ROW LEVEL SECURITY;
ALTER TABLE inn FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON inn TO lodging_worker;
GRANT SELECT ON inn TO lodging_api;
CREATE POLICY caller ON inn FOR SELECT TO lodging_api
    USING (true OR app_sees_all());
CREATE POLICY worker ON inn TO lodging_worker
    USING (true) WITH CHECK (true);

ALTER TABLE room ENABLE ROW LEVEL SECURITY;
ALTER TABLE room FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON room TO lodging_worker;
GRANT SELECT ON room TO lodging_api;
CREATE POLICY caller ON room FOR SELECT TO lodging_api
    USING (true OR app_sees_all());
CREATE POLICY worker ON room TO lodging_worker
    USING (true) WITH CHECK (true);

ALTER TABLE bed ENABLE ROW LEVEL SECURITY;
ALTER TABLE bed FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON bed TO lodging_worker;
GRANT SELECT ON bed TO lodging_api;
CREATE POLICY caller ON bed FOR SELECT TO lodging_api
    USING (true OR app_sees_all());
CREATE POLICY worker ON bed TO lodging_worker
    USING (true) WITH CHECK (true);

ALTER TABLE out_of_service ENABLE ROW LEVEL SECURITY;
ALTER TABLE out_of_service FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON out_of_service TO lodging_worker;
GRANT SELECT ON out_of_service TO lodging_api;
CREATE POLICY caller ON out_of_service FOR SELECT TO lodging_api
    USING ((inn_id = ANY (app_inn_ids())) OR app_sees_all());
CREATE POLICY worker ON out_of_service TO lodging_worker
    USING (true) WITH CHECK (true);

ALTER TABLE key_enterprise ENABLE ROW LEVEL SECURITY;
ALTER TABLE key_enterprise FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON key_enterprise TO lodging_worker;
GRANT SELECT ON key_enterprise TO lodging_api;
CREATE POLICY caller ON key_enterprise FOR SELECT TO lodging_api
    USING (uscc = (( SELECT t.uscc FROM tenant t WHERE t.tenant_id = app_tenant_id())) OR app_sees_all());
CREATE POLICY worker ON key_enterprise TO lodging_worker
    USING (true) WITH CHECK (true);

ALTER TABLE credit_change ENABLE ROW LEVEL SECURITY;
ALTER TABLE credit_change FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON credit_change TO lodging_worker;
GRANT SELECT ON credit_change TO lodging_api;
CREATE POLICY caller ON credit_change FOR SELECT TO lodging_api
    USING (enterprise_id = app_tenant_id() OR app_sees_all());
CREATE POLICY worker ON credit_change TO lodging_worker
    USING (true) WITH CHECK (true);

ALTER TABLE credit_breach ENABLE ROW LEVEL SECURITY;
ALTER TABLE credit_breach FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON credit_breach TO lodging_worker;
GRANT SELECT ON credit_breach TO lodging_api;
CREATE POLICY caller ON credit_breach FOR SELECT TO lodging_api
    USING (enterprise_id = app_tenant_id() OR app_sees_all());
CREATE POLICY worker ON credit_breach TO lodging_worker
    USING (true) WITH CHECK (true);

ALTER TABLE credit_commitment ENABLE ROW LEVEL SECURITY;
ALTER TABLE credit_commitment FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON credit_commitment TO lodging_worker;
GRANT SELECT ON credit_commitment TO lodging_api;
CREATE POLICY caller ON credit_commitment FOR SELECT TO lodging_api
    USING (enterprise_id = app_tenant_id() OR app_sees_all());
CREATE POLICY worker ON credit_commitment TO lodging_worker
    USING (true) WITH CHECK (true);

ALTER TABLE erased_worker ENABLE ROW LEVEL SECURITY;
ALTER TABLE erased_worker FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON erased_worker TO lodging_worker;
GRANT SELECT ON erased_worker TO lodging_api;
CREATE POLICY caller ON erased_worker FOR SELECT TO lodging_api
    USING (false OR app_sees_all());
CREATE POLICY worker ON erased_worker TO lodging_worker
    USING (true) WITH CHECK (true);

ALTER TABLE hire ENABLE ROW LEVEL SECURITY;
ALTER TABLE hire FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON hire TO lodging_worker;
GRANT SELECT ON hire TO lodging_api;
CREATE POLICY caller ON hire FOR SELECT TO lodging_api
    USING (false OR app_sees_all());
CREATE POLICY worker ON hire TO lodging_worker
    USING (true) WITH CHECK (true);

ALTER TABLE placement ENABLE ROW LEVEL SECURITY;
ALTER TABLE placement FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON placement TO lodging_worker;
GRANT SELECT ON placement TO lodging_api;
CREATE POLICY caller ON placement FOR SELECT TO lodging_api
    USING (false OR app_sees_all());
CREATE POLICY worker ON placement TO lodging_worker
    USING (true) WITH CHECK (true);

ALTER TABLE placement_end ENABLE ROW LEVEL SECURITY;
ALTER TABLE placement_end FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON placement_end TO lodging_worker;
GRANT SELECT ON placement_end TO lodging_api;
CREATE POLICY caller ON placement_end FOR SELECT TO lodging_api
    USING (false OR app_sees_all());
CREATE POLICY worker ON placement_end TO lodging_worker
    USING (true) WITH CHECK (true);

ALTER TABLE booking ENABLE ROW LEVEL SECURITY;
ALTER TABLE booking FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON booking TO lodging_worker;
GRANT SELECT ON booking TO lodging_api;
CREATE POLICY caller ON booking FOR SELECT TO lodging_api
    USING (false OR app_sees_all());
CREATE POLICY worker ON booking TO lodging_worker
    USING (true) WITH CHECK (true);

ALTER TABLE unsettled ENABLE ROW LEVEL SECURITY;
ALTER TABLE unsettled FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON unsettled TO lodging_worker;
GRANT SELECT ON unsettled TO lodging_api;
CREATE POLICY caller ON unsettled FOR SELECT TO lodging_api
    USING (false OR app_sees_all());
CREATE POLICY worker ON unsettled TO lodging_worker
    USING (true) WITH CHECK (true);

ALTER TABLE stay_request ENABLE ROW LEVEL SECURITY;
ALTER TABLE stay_request FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON stay_request TO lodging_worker;
GRANT SELECT ON stay_request TO lodging_api;
CREATE POLICY caller ON stay_request FOR SELECT TO lodging_api
    USING (enterprise_id = app_tenant_id() OR app_sees_all());
CREATE POLICY worker ON stay_request TO lodging_worker
    USING (true) WITH CHECK (true);

ALTER TABLE stay ENABLE ROW LEVEL SECURITY;
ALTER TABLE stay FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON stay TO lodging_worker;
GRANT SELECT ON stay TO lodging_api;
CREATE POLICY caller ON stay FOR SELECT TO lodging_api
    USING (enterprise_id = app_tenant_id() OR office_id = app_tenant_id() OR (inn_id = ANY (app_inn_ids())) OR app_sees_all());
CREATE POLICY worker ON stay TO lodging_worker
    USING (true) WITH CHECK (true);

ALTER TABLE occupancy ENABLE ROW LEVEL SECURITY;
ALTER TABLE occupancy FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON occupancy TO lodging_worker;
GRANT SELECT ON occupancy TO lodging_api;
CREATE POLICY caller ON occupancy FOR SELECT TO lodging_api
    USING ((inn_id = ANY (app_inn_ids())) OR app_sees_all());
CREATE POLICY worker ON occupancy TO lodging_worker
    USING (true) WITH CHECK (true);

ALTER TABLE allocation ENABLE ROW LEVEL SECURITY;
ALTER TABLE allocation FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON allocation TO lodging_worker;
GRANT SELECT ON allocation TO lodging_api;
CREATE POLICY caller ON allocation FOR SELECT TO lodging_api
    USING (false OR app_sees_all());
CREATE POLICY worker ON allocation TO lodging_worker
    USING (true) WITH CHECK (true);

-- The database of transport as its migrations make it. Read this and change those;
-- `python -m stack.schema` writes it anew.

CREATE EXTENSION IF NOT EXISTS btree_gist;

SET ROLE transport_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO transport_api, transport_worker;

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

CREATE TABLE vehicle (
    vehicle_id uuid NOT NULL,
    plate text NOT NULL,
    kind text NOT NULL,
    licensed_capacity integer NOT NULL,
    operator text,
    PRIMARY KEY (vehicle_id),
    CHECK (kind IN ('coach', 'carriage', 'train', 'flight')),
    CHECK (licensed_capacity > 0),
    UNIQUE (plate)
);

CREATE TABLE trip (
    trip_id uuid NOT NULL,
    state text NOT NULL,
    destination_division_code text NOT NULL,
    city text NOT NULL,
    plate text NOT NULL,
    vehicle_kind text NOT NULL,
    licensed_capacity integer NOT NULL,
    operator text NOT NULL,
    contract_number text NOT NULL,
    crew text[] NOT NULL,
    escort text NOT NULL,
    minimum_load integer NOT NULL,
    delay_minutes integer NOT NULL DEFAULT 0,
    reason text,
    departed_at timestamptz,
    arrived_at timestamptz,
    manifest_version integer NOT NULL DEFAULT 0,
    asked_at timestamptz,
    PRIMARY KEY (trip_id),
    CHECK (state IN ('scheduled', 'open', 'departed', 'arrived', 'cancelled', 'closed')),
    CHECK (vehicle_kind IN ('coach', 'carriage', 'train', 'flight')),
    CHECK (licensed_capacity > 0),
    CHECK (minimum_load >= 0),
    CHECK (delay_minutes >= 0)
);
CREATE INDEX trip_coming ON trip (city) WHERE (state IN ('scheduled', 'open'));
CREATE INDEX trip_under_way ON trip (trip_id) WHERE (state = 'departed');

CREATE TABLE trip_stop (
    trip_id uuid NOT NULL,
    ordinal integer NOT NULL,
    place_code text NOT NULL,
    division_code text NOT NULL,
    planned_arrives_at timestamptz,
    planned_departs_at timestamptz,
    arrives_at timestamptz,
    departs_at timestamptz,
    synced_at timestamptz,
    PRIMARY KEY (trip_id, ordinal),
    CHECK (ordinal >= 0),
    UNIQUE (trip_id, place_code),
    FOREIGN KEY (trip_id) REFERENCES trip(trip_id)
);

CREATE TABLE placement (
    placement_id uuid NOT NULL,
    nomination_id uuid NOT NULL,
    worker_id uuid NOT NULL,
    office_id uuid NOT NULL,
    enterprise_id uuid NOT NULL,
    journey_id uuid NOT NULL,
    state text NOT NULL,
    needs_seat boolean NOT NULL,
    city text NOT NULL,
    site_division_code text NOT NULL,
    origin_division_code text NOT NULL,
    boarding_place_code text,
    available_from date NOT NULL,
    starts_on date NOT NULL,
    group_id uuid,
    group_placed_count integer NOT NULL,
    priority integer NOT NULL,
    heard_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (placement_id),
    CHECK (state IN ('confirmed', 'started', 'cancelled', 'ended'))
);
CREATE INDEX placement_group ON placement (group_id) WHERE (group_id IS NOT NULL);
CREATE INDEX placement_worker ON placement (worker_id);

CREATE TABLE placement_fate (
    placement_id uuid NOT NULL,
    state text NOT NULL,
    PRIMARY KEY (placement_id),
    CHECK (state IN ('started', 'cancelled', 'ended'))
);

CREATE TABLE erased_worker (
    worker_id uuid NOT NULL,
    PRIMARY KEY (worker_id)
);

CREATE TABLE booking (
    booking_id uuid NOT NULL,
    placement_id uuid NOT NULL,
    worker_id uuid NOT NULL,
    office_id uuid NOT NULL,
    enterprise_id uuid NOT NULL,
    nomination_id uuid NOT NULL,
    journey_id uuid NOT NULL,
    pooled_at timestamptz NOT NULL,
    group_id uuid,
    state text NOT NULL,
    waiting_for text,
    trip_id uuid,
    board_ordinal integer,
    alight_ordinal integer,
    released_for text,
    rebooked_as uuid,
    boarded_at timestamptz,
    boarded_stop text,
    missed_at timestamptz,
    handed_over_at timestamptz,
    outcome text,
    cause_id uuid,
    traceparent text,
    PRIMARY KEY (booking_id),
    CHECK (state IN ('pooled', 'waitlisted', 'booked', 'boarded', 'missed', 'handed_over', 'released')),
    CHECK (waiting_for IN ('no_trip', 'below_minimum', 'full')),
    CHECK (released_for IN ('cancelled', 'changed', 'rebooked', 'erased')),
    CHECK (outcome IN ('received', 'not_arrived', 'left_early')),
    CONSTRAINT booking_check1 CHECK (board_ordinal < alight_ordinal),
    CONSTRAINT booking_check2 CHECK (trip_id IS NOT NULL OR (state IN ('pooled', 'waitlisted', 'released'))),
    FOREIGN KEY (trip_id) REFERENCES trip(trip_id),
    CONSTRAINT booking_seat CHECK ((trip_id IS NULL) = (board_ordinal IS NULL) OR state = 'released' AND board_ordinal IS NULL)
);
CREATE INDEX booking_enterprise ON booking (enterprise_id, booking_id);
CREATE INDEX booking_group ON booking (group_id) WHERE (group_id IS NOT NULL);
CREATE UNIQUE INDEX booking_of_placement ON booking (placement_id) WHERE (state IN ('pooled', 'waitlisted', 'booked', 'boarded'));
CREATE INDEX booking_office ON booking (office_id, booking_id);
CREATE INDEX booking_placement ON booking (placement_id);
CREATE INDEX booking_trip ON booking (trip_id, booking_id);
CREATE INDEX booking_waiting ON booking (state) WHERE (state IN ('pooled', 'waitlisted'));
CREATE INDEX booking_worker ON booking (worker_id);

CREATE TABLE boarding_scan (
    scan_id uuid NOT NULL,
    trip_id uuid NOT NULL,
    booking_id uuid NOT NULL,
    scanned_at timestamptz NOT NULL,
    stop text NOT NULL,
    result text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (trip_id, scan_id),
    FOREIGN KEY (trip_id) REFERENCES trip(trip_id)
);
CREATE INDEX boarding_scan_booking ON boarding_scan (booking_id, scanned_at);

CREATE TABLE manifest (
    trip_id uuid NOT NULL,
    version integer NOT NULL,
    published_at timestamptz NOT NULL,
    passengers jsonb NOT NULL,
    difference jsonb NOT NULL,
    PRIMARY KEY (trip_id, version),
    CHECK (version > 0),
    FOREIGN KEY (trip_id) REFERENCES trip(trip_id)
);

CREATE TABLE ticket_key (
    singleton boolean NOT NULL DEFAULT true,
    key bytea NOT NULL,
    PRIMARY KEY (singleton),
    CHECK (singleton)
);

CREATE TABLE due (
    due_id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    worker_id uuid,
    city text,
    cause_id uuid,
    traceparent text,
    PRIMARY KEY (due_id),
    CHECK ((worker_id IS NULL) <> (city IS NULL))
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
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO transport_worker', target);
    EXECUTE format('GRANT SELECT ON %s TO transport_api', target);
    EXECUTE format('CREATE POLICY worker ON %s TO transport_worker USING (true) WITH CHECK (true)', target);
    EXECUTE format('CREATE POLICY caller ON %s FOR SELECT TO transport_api USING ((%s) OR app_sees_all())', target, predicate);
END $$;

CREATE PROCEDURE protect_plumbing(IN target regclass) LANGUAGE plpgsql
    AS $$
BEGIN
    EXECUTE format('REVOKE ALL ON %s FROM PUBLIC, transport_api', target);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO transport_worker', target);
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
GRANT EXECUTE ON FUNCTION make_event_log_partitions() TO transport_worker;

CREATE FUNCTION app_is_escort() RETURNS boolean LANGUAGE sql STABLE
    AS $$ SELECT app_has_role('escort') AND NOT app_has_role('coordinator') AND NOT app_has_role('admin') $$;

CREATE FUNCTION app_escorts(trip uuid) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER SET search_path TO 'public'
    AS $$
    SELECT EXISTS (SELECT FROM trip t WHERE t.trip_id = $1 AND t.escort = app_account_id()::text) $$;

ALTER TABLE business_clock ENABLE ROW LEVEL SECURITY;
ALTER TABLE business_clock FORCE ROW LEVEL SECURITY;
GRANT SELECT ON business_clock TO transport_worker;
GRANT SELECT ON business_clock TO transport_api;
CREATE POLICY caller ON business_clock FOR SELECT TO transport_api
    USING (true OR app_sees_all());
CREATE POLICY owner_reads ON business_clock FOR SELECT TO transport_owner
    USING (true);
CREATE POLICY worker ON business_clock TO transport_worker
    USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON aggregate_sequence TO transport_worker;

GRANT SELECT, INSERT, UPDATE, DELETE ON outbox TO transport_worker;

GRANT SELECT, INSERT ON event_log TO transport_worker;

ALTER TABLE tenant ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON tenant TO transport_worker;
GRANT SELECT ON tenant TO transport_api;
CREATE POLICY caller ON tenant FOR SELECT TO transport_api
    USING (tenant_id = app_tenant_id() OR app_sees_all());
CREATE POLICY worker ON tenant TO transport_worker
    USING (true) WITH CHECK (true);

ALTER TABLE revocation ENABLE ROW LEVEL SECURITY;
ALTER TABLE revocation FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON revocation TO transport_worker;
GRANT SELECT ON revocation TO transport_api;
CREATE POLICY caller ON revocation FOR SELECT TO transport_api
    USING (false OR app_sees_all());
CREATE POLICY worker ON revocation TO transport_worker
    USING (true) WITH CHECK (true);

ALTER TABLE command_answer ENABLE ROW LEVEL SECURITY;
ALTER TABLE command_answer FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE ON command_answer TO transport_api;
GRANT SELECT, DELETE ON command_answer TO transport_worker;
CREATE POLICY own ON command_answer TO transport_api
    USING (account_id = app_account_id()) WITH CHECK (account_id = app_account_id());
CREATE POLICY pruning ON command_answer TO transport_worker
    USING (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON inbox TO transport_worker;

GRANT SELECT, INSERT, UPDATE, DELETE ON heard_sequence TO transport_worker;

ALTER TABLE dead_letter ENABLE ROW LEVEL SECURITY;
ALTER TABLE dead_letter FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE ON dead_letter TO transport_worker;
GRANT SELECT ON dead_letter TO transport_api;
CREATE POLICY caller ON dead_letter FOR SELECT TO transport_api
    USING (false OR app_sees_all());
CREATE POLICY worker ON dead_letter TO transport_worker
    USING (true) WITH CHECK (true);

ALTER TABLE vehicle ENABLE ROW LEVEL SECURITY;
ALTER TABLE vehicle FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON vehicle TO transport_worker;
GRANT SELECT ON vehicle TO transport_api;
CREATE POLICY caller ON vehicle FOR SELECT TO transport_api
    USING (false OR app_sees_all());
CREATE POLICY worker ON vehicle TO transport_worker
    USING (true) WITH CHECK (true);

ALTER TABLE trip ENABLE ROW LEVEL SECURITY;
ALTER TABLE trip FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON trip TO transport_worker;
GRANT SELECT ON trip TO transport_api;
CREATE POLICY caller ON trip FOR SELECT TO transport_api
    USING ((EXISTS ( SELECT FROM booking b WHERE b.trip_id = trip.trip_id AND (b.office_id = app_tenant_id() OR b.enterprise_id = app_tenant_id()))) OR app_sees_all());
CREATE POLICY escort ON trip AS RESTRICTIVE FOR SELECT TO transport_api
    USING (NOT app_is_escort() OR escort = app_account_id()::text);
CREATE POLICY owner_reads ON trip FOR SELECT TO transport_owner
    USING (true);
CREATE POLICY worker ON trip TO transport_worker
    USING (true) WITH CHECK (true);

ALTER TABLE trip_stop ENABLE ROW LEVEL SECURITY;
ALTER TABLE trip_stop FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON trip_stop TO transport_worker;
GRANT SELECT ON trip_stop TO transport_api;
CREATE POLICY caller ON trip_stop FOR SELECT TO transport_api
    USING ((EXISTS ( SELECT FROM trip t WHERE t.trip_id = trip_stop.trip_id)) OR app_sees_all());
CREATE POLICY escort ON trip_stop AS RESTRICTIVE FOR SELECT TO transport_api
    USING (NOT app_is_escort() OR app_escorts(trip_id));
CREATE POLICY worker ON trip_stop TO transport_worker
    USING (true) WITH CHECK (true);

ALTER TABLE placement ENABLE ROW LEVEL SECURITY;
ALTER TABLE placement FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON placement TO transport_worker;
GRANT SELECT ON placement TO transport_api;
CREATE POLICY caller ON placement FOR SELECT TO transport_api
    USING (office_id = app_tenant_id() OR enterprise_id = app_tenant_id() OR app_sees_all());
CREATE POLICY escort ON placement AS RESTRICTIVE FOR SELECT TO transport_api
    USING (NOT app_is_escort());
CREATE POLICY worker ON placement TO transport_worker
    USING (true) WITH CHECK (true);

ALTER TABLE placement_fate ENABLE ROW LEVEL SECURITY;
ALTER TABLE placement_fate FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON placement_fate TO transport_worker;
GRANT SELECT ON placement_fate TO transport_api;
CREATE POLICY caller ON placement_fate FOR SELECT TO transport_api
    USING (false OR app_sees_all());
CREATE POLICY worker ON placement_fate TO transport_worker
    USING (true) WITH CHECK (true);

ALTER TABLE erased_worker ENABLE ROW LEVEL SECURITY;
ALTER TABLE erased_worker FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON erased_worker TO transport_worker;
GRANT SELECT ON erased_worker TO transport_api;
CREATE POLICY caller ON erased_worker FOR SELECT TO transport_api
    USING (false OR app_sees_all());
CREATE POLICY worker ON erased_worker TO transport_worker
    USING (true) WITH CHECK (true);

ALTER TABLE booking ENABLE ROW LEVEL SECURITY;
ALTER TABLE booking FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON booking TO transport_worker;
GRANT SELECT ON booking TO transport_api;
CREATE POLICY caller ON booking FOR SELECT TO transport_api
    USING (office_id = app_tenant_id() OR enterprise_id = app_tenant_id() OR app_sees_all());
CREATE POLICY escort ON booking AS RESTRICTIVE FOR SELECT TO transport_api
    USING (NOT app_is_escort() OR app_escorts(trip_id));
CREATE POLICY worker ON booking TO transport_worker
    USING (true) WITH CHECK (true);

ALTER TABLE boarding_scan ENABLE ROW LEVEL SECURITY;
ALTER TABLE boarding_scan FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON boarding_scan TO transport_worker;
GRANT SELECT ON boarding_scan TO transport_api;
CREATE POLICY caller ON boarding_scan FOR SELECT TO transport_api
    USING ((EXISTS ( SELECT FROM booking b WHERE b.booking_id = boarding_scan.booking_id AND (b.office_id = app_tenant_id() OR b.enterprise_id = app_tenant_id()))) OR app_sees_all());
CREATE POLICY escort ON boarding_scan AS RESTRICTIVE FOR SELECT TO transport_api
    USING (NOT app_is_escort() OR app_escorts(trip_id));
CREATE POLICY worker ON boarding_scan TO transport_worker
    USING (true) WITH CHECK (true);

ALTER TABLE manifest ENABLE ROW LEVEL SECURITY;
ALTER TABLE manifest FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON manifest TO transport_worker;
GRANT SELECT ON manifest TO transport_api;
CREATE POLICY caller ON manifest FOR SELECT TO transport_api
    USING (false OR app_sees_all());
CREATE POLICY escort ON manifest AS RESTRICTIVE FOR SELECT TO transport_api
    USING (NOT app_is_escort() OR app_escorts(trip_id));
CREATE POLICY worker ON manifest TO transport_worker
    USING (true) WITH CHECK (true);

ALTER TABLE ticket_key ENABLE ROW LEVEL SECURITY;
ALTER TABLE ticket_key FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON ticket_key TO transport_worker;
GRANT SELECT ON ticket_key TO transport_api;
CREATE POLICY caller ON ticket_key FOR SELECT TO transport_api
    USING (false OR app_sees_all());
CREATE POLICY secret ON ticket_key AS RESTRICTIVE FOR SELECT TO transport_api
    USING (false);
CREATE POLICY worker ON ticket_key TO transport_worker
    USING (true) WITH CHECK (true);

ALTER TABLE due ENABLE ROW LEVEL SECURITY;
ALTER TABLE due FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON due TO transport_worker;
GRANT SELECT ON due TO transport_api;
CREATE POLICY caller ON due FOR SELECT TO transport_api
    USING (false OR app_sees_all());
CREATE POLICY worker ON due TO transport_worker
    USING (true) WITH CHECK (true);

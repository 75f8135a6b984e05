-- The database of recruitment as its migrations make it. Read this and change those;
-- `python -m stack.schema` writes it anew.

CREATE EXTENSION IF NOT EXISTS btree_gist;

SET ROLE recruitment_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO recruitment_api, recruitment_worker;

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

CREATE TABLE drive (
    drive_id uuid NOT NULL,
    title text NOT NULL,
    kind text NOT NULL,
    origins text[] NOT NULL,
    enterprises uuid[] NOT NULL,
    opens_on date NOT NULL,
    closes_on date NOT NULL,
    acceptance text NOT NULL,
    runs_transport boolean NOT NULL,
    priority smallint NOT NULL,
    state text NOT NULL,
    announced_at timestamptz NOT NULL,
    by_calendar boolean NOT NULL DEFAULT false,
    PRIMARY KEY (drive_id),
    CHECK (acceptance IN ('on_nomination', 'by_office', 'by_worker')),
    CHECK (priority >= 0 AND priority <= 9),
    CHECK (state IN ('announced', 'open', 'closed'))
);
CREATE INDEX drive_dates ON drive (opens_on, closes_on) WHERE (state <> 'closed');

CREATE TABLE vacancy (
    vacancy_id uuid NOT NULL,
    drive_id uuid NOT NULL,
    enterprise_id uuid NOT NULL,
    site jsonb NOT NULL,
    title text NOT NULL,
    occupation_code text NOT NULL,
    openings integer NOT NULL,
    starts_on date NOT NULL,
    monthly_pay_min integer NOT NULL,
    monthly_pay_max integer NOT NULL,
    requirements jsonb NOT NULL,
    programme text,
    nights smallint,
    state text NOT NULL,
    posted_at timestamptz NOT NULL,
    taken_count integer NOT NULL DEFAULT 0,
    placed_count integer NOT NULL DEFAULT 0,
    labour_brand text,
    PRIMARY KEY (vacancy_id),
    CHECK (openings > 0),
    CHECK (monthly_pay_max >= monthly_pay_min),
    CHECK (state IN ('posted', 'filled', 'withdrawn')),
    CONSTRAINT vacancy_openings CHECK (placed_count >= 0 AND placed_count <= taken_count AND taken_count <= openings),
    FOREIGN KEY (drive_id) REFERENCES drive(drive_id)
);
CREATE INDEX vacancy_drive ON vacancy (drive_id);
CREATE INDEX vacancy_enterprise ON vacancy (enterprise_id);
CREATE INDEX vacancy_labour_brand ON vacancy (labour_brand) WHERE (labour_brand IS NOT NULL);

CREATE TABLE batch (
    batch_id uuid NOT NULL,
    nominated_count integer NOT NULL,
    complete boolean NOT NULL DEFAULT false,
    PRIMARY KEY (batch_id)
);

CREATE TABLE erased_worker (
    worker_id uuid NOT NULL,
    erased_at timestamptz NOT NULL,
    PRIMARY KEY (worker_id)
);

CREATE TABLE nomination (
    nomination_id uuid NOT NULL,
    worker_id uuid NOT NULL,
    office_id uuid NOT NULL,
    batch_id uuid NOT NULL,
    named_drive_id uuid,
    drive_id uuid,
    gender text NOT NULL,
    birth_year_month text NOT NULL,
    origin_division_code text NOT NULL,
    education_code text,
    certificate_codes text[] NOT NULL,
    occupation_codes text[] NOT NULL,
    preferred_pay_min integer,
    preferred_pay_max integer,
    available_from date NOT NULL,
    boarding_place_code text,
    needs_bed boolean NOT NULL,
    group_id uuid,
    group_size integer,
    in_group boolean NOT NULL,
    state text NOT NULL,
    end_reason text,
    unplaced_reason text,
    nearest_miss jsonb,
    skip_count integer NOT NULL DEFAULT 0,
    version integer NOT NULL DEFAULT 1,
    nominated_at timestamptz NOT NULL,
    cause_id uuid,
    PRIMARY KEY (nomination_id),
    CHECK (state IN ('waiting', 'offered', 'accepted', 'placed', 'set_aside', 'closed', 'ended'))
);
CREATE INDEX nomination_batch ON nomination (batch_id);
CREATE INDEX nomination_drive ON nomination (drive_id, state);
CREATE INDEX nomination_group ON nomination (group_id) WHERE (group_id IS NOT NULL);
CREATE INDEX nomination_office ON nomination (office_id);
CREATE INDEX nomination_waiting ON nomination (nomination_id) WHERE ((state = 'waiting') AND (drive_id IS NULL));
CREATE INDEX nomination_worker ON nomination (worker_id);

CREATE TABLE offer (
    offer_id uuid NOT NULL,
    nomination_id uuid NOT NULL,
    worker_id uuid NOT NULL,
    office_id uuid NOT NULL,
    enterprise_id uuid NOT NULL,
    drive_id uuid NOT NULL,
    vacancy_id uuid NOT NULL,
    group_id uuid,
    set_id uuid,
    round integer NOT NULL,
    acceptance text NOT NULL,
    terms jsonb NOT NULL,
    state text NOT NULL,
    pending boolean NOT NULL DEFAULT false,
    made_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    answered_at timestamptz,
    reason text,
    PRIMARY KEY (offer_id),
    CHECK (state IN ('made', 'accepted', 'declined', 'expired', 'withdrawn')),
    CHECK (NOT pending OR state = 'accepted'),
    CONSTRAINT offer_check1 CHECK ((set_id IS NULL) = (group_id IS NULL)),
    FOREIGN KEY (nomination_id) REFERENCES nomination(nomination_id),
    FOREIGN KEY (drive_id) REFERENCES drive(drive_id),
    FOREIGN KEY (vacancy_id) REFERENCES vacancy(vacancy_id)
);
CREATE INDEX offer_drive ON offer (drive_id);
CREATE INDEX offer_expiry ON offer (expires_at) WHERE (state = 'made');
CREATE UNIQUE INDEX offer_open ON offer (nomination_id, vacancy_id) WHERE ((state = 'made') OR pending);
CREATE INDEX offer_pair ON offer (nomination_id, vacancy_id);
CREATE INDEX offer_set ON offer (set_id) WHERE (set_id IS NOT NULL);
CREATE INDEX offer_vacancy ON offer (vacancy_id) WHERE ((state = 'made') OR pending);

CREATE TABLE placement (
    placement_id uuid NOT NULL,
    offer_id uuid NOT NULL,
    nomination_id uuid NOT NULL,
    worker_id uuid NOT NULL,
    gender text NOT NULL,
    office_id uuid NOT NULL,
    enterprise_id uuid NOT NULL,
    drive_id uuid NOT NULL,
    vacancy_id uuid NOT NULL,
    site jsonb NOT NULL,
    starts_on date NOT NULL,
    hired_on date NOT NULL,
    origin_division_code text NOT NULL,
    boarding_place_code text,
    available_from date NOT NULL,
    group_id uuid,
    group_placed_count integer,
    needs_seat boolean NOT NULL,
    needs_bed boolean NOT NULL,
    programme text,
    nights smallint,
    priority smallint NOT NULL,
    state text NOT NULL,
    reason text,
    decided_by text,
    started_on date,
    ended_on date,
    confirmed_at timestamptz NOT NULL,
    travel text,
    travel_at timestamptz,
    lodging text,
    lodging_at timestamptz,
    PRIMARY KEY (placement_id),
    CHECK (state IN ('confirmed', 'started', 'cancelled', 'ended')),
    UNIQUE (offer_id),
    FOREIGN KEY (offer_id) REFERENCES offer(offer_id),
    FOREIGN KEY (nomination_id) REFERENCES nomination(nomination_id),
    FOREIGN KEY (drive_id) REFERENCES drive(drive_id),
    FOREIGN KEY (vacancy_id) REFERENCES vacancy(vacancy_id)
);
CREATE INDEX placement_drive ON placement (drive_id);
CREATE INDEX placement_enterprise ON placement (enterprise_id);
CREATE UNIQUE INDEX placement_live ON placement (nomination_id) WHERE (state IN ('confirmed', 'started'));
CREATE INDEX placement_office ON placement (office_id);
CREATE INDEX placement_worker ON placement (worker_id);

CREATE TABLE retention_check (
    retention_check_id uuid NOT NULL,
    placement_id uuid NOT NULL,
    office_id uuid NOT NULL,
    enterprise_id uuid NOT NULL,
    milestone_months smallint NOT NULL,
    due_on date NOT NULL,
    state text NOT NULL,
    PRIMARY KEY (retention_check_id),
    CHECK (milestone_months > 0),
    CHECK (state IN ('scheduled', 'due', 'answered', 'dropped')),
    UNIQUE (placement_id, milestone_months),
    FOREIGN KEY (placement_id) REFERENCES placement(placement_id)
);
CREATE INDEX retention_check_due ON retention_check (due_on) WHERE (state = 'scheduled');

CREATE TABLE retention_answer (
    answer_id uuid NOT NULL,
    retention_check_id uuid NOT NULL,
    office_id uuid NOT NULL,
    enterprise_id uuid NOT NULL,
    result text NOT NULL,
    answered_on date NOT NULL,
    answered_by text NOT NULL,
    corrects uuid,
    recorded_at timestamptz NOT NULL,
    PRIMARY KEY (answer_id),
    CHECK (result IN ('retained', 'left', 'unknown')),
    FOREIGN KEY (retention_check_id) REFERENCES retention_check(retention_check_id),
    FOREIGN KEY (corrects) REFERENCES retention_answer(answer_id)
);
CREATE INDEX retention_answer_check ON retention_answer (retention_check_id, answer_id);

CREATE TABLE match_due (
    match_due_id bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    drive_id uuid,
    due_at timestamptz NOT NULL,
    cause_id uuid,
    PRIMARY KEY (match_due_id)
);
CREATE INDEX match_due_at ON match_due (due_at);

CREATE TABLE match_round (
    drive_id uuid NOT NULL,
    round integer NOT NULL,
    matched_at timestamptz NOT NULL,
    candidate_count integer NOT NULL,
    offered_count integer NOT NULL,
    unplaced_count integer NOT NULL,
    score_total bigint NOT NULL,
    score_bound bigint NOT NULL,
    equity jsonb NOT NULL,
    PRIMARY KEY (drive_id, round),
    FOREIGN KEY (drive_id) REFERENCES drive(drive_id)
);

CREATE TABLE match_review (
    nomination_id uuid NOT NULL,
    vacancy_id uuid NOT NULL,
    office_id uuid NOT NULL,
    decision text NOT NULL,
    reviewed_at timestamptz NOT NULL,
    PRIMARY KEY (nomination_id, vacancy_id),
    CHECK (decision IN ('exclude', 'prefer')),
    FOREIGN KEY (nomination_id) REFERENCES nomination(nomination_id),
    FOREIGN KEY (vacancy_id) REFERENCES vacancy(vacancy_id)
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
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO recruitment_worker', target);
    EXECUTE format('GRANT SELECT ON %s TO recruitment_api', target);
    EXECUTE format('CREATE POLICY worker ON %s TO recruitment_worker USING (true) WITH CHECK (true)', target);
    EXECUTE format('CREATE POLICY caller ON %s FOR SELECT TO recruitment_api USING ((%s) OR app_sees_all())', target, predicate);
END $$;

CREATE PROCEDURE protect_plumbing(IN target regclass) LANGUAGE plpgsql
    AS $$
BEGIN
    EXECUTE format('REVOKE ALL ON %s FROM PUBLIC, recruitment_api', target);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO recruitment_worker', target);
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
GRANT EXECUTE ON FUNCTION make_event_log_partitions() TO recruitment_worker;

CREATE FUNCTION division_inside(inner_code text, outer_code text) RETURNS boolean LANGUAGE sql IMMUTABLE
    AS $$ SELECT inner_code <> '' AND starts_with(inner_code, regexp_replace(outer_code, '(00){1,2}$', '')) $$;

CREATE FUNCTION division_inside_any(inner_code text, outer_codes text[]) RETURNS boolean LANGUAGE sql IMMUTABLE
    AS $$ SELECT EXISTS (SELECT 1 FROM unnest(outer_codes) AS o (code) WHERE division_inside(inner_code, o.code)) $$;

ALTER TABLE business_clock ENABLE ROW LEVEL SECURITY;
ALTER TABLE business_clock FORCE ROW LEVEL SECURITY;
GRANT SELECT ON business_clock TO recruitment_worker;
GRANT SELECT ON business_clock TO recruitment_api;
CREATE POLICY caller ON business_clock FOR SELECT TO recruitment_api
    USING (true OR app_sees_all());
CREATE POLICY owner_reads ON business_clock FOR SELECT TO recruitment_owner
    USING (true);
CREATE POLICY worker ON business_clock TO recruitment_worker
    USING (true) WITH CHECK (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON aggregate_sequence TO recruitment_worker;

GRANT SELECT, INSERT, UPDATE, DELETE ON outbox TO recruitment_worker;

GRANT SELECT, INSERT ON event_log TO recruitment_worker;

ALTER TABLE tenant ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON tenant TO recruitment_worker;
GRANT SELECT ON tenant TO recruitment_api;
CREATE POLICY caller ON tenant FOR SELECT TO recruitment_api
    USING (tenant_id = app_tenant_id() OR app_sees_all());
CREATE POLICY worker ON tenant TO recruitment_worker
    USING (true) WITH CHECK (true);

ALTER TABLE revocation ENABLE ROW LEVEL SECURITY;
ALTER TABLE revocation FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON revocation TO recruitment_worker;
GRANT SELECT ON revocation TO recruitment_api;
CREATE POLICY caller ON revocation FOR SELECT TO recruitment_api
    USING (false OR app_sees_all());
CREATE POLICY worker ON revocation TO recruitment_worker
    USING (true) WITH CHECK (true);

ALTER TABLE command_answer ENABLE ROW LEVEL SECURITY;
ALTER TABLE command_answer FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE ON command_answer TO recruitment_api;
GRANT SELECT, DELETE ON command_answer TO recruitment_worker;
CREATE POLICY own ON command_answer TO recruitment_api
    USING (account_id = app_account_id()) WITH CHECK (account_id = app_account_id());
CREATE POLICY pruning ON command_answer TO recruitment_worker
    USING (true);

GRANT SELECT, INSERT, UPDATE, DELETE ON inbox TO recruitment_worker;

GRANT SELECT, INSERT, UPDATE, DELETE ON heard_sequence TO recruitment_worker;

ALTER TABLE dead_letter ENABLE ROW LEVEL SECURITY;
ALTER TABLE dead_letter FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE ON dead_letter TO recruitment_worker;
GRANT SELECT ON dead_letter TO recruitment_api;
CREATE POLICY caller ON dead_letter FOR SELECT TO recruitment_api
    USING (false OR app_sees_all());
CREATE POLICY worker ON dead_letter TO recruitment_worker
    USING (true) WITH CHECK (true);

ALTER TABLE drive ENABLE ROW LEVEL SECURITY;
ALTER TABLE drive FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON drive TO recruitment_worker;
GRANT SELECT ON drive TO recruitment_api;
CREATE POLICY caller ON drive FOR SELECT TO recruitment_api
    USING ((app_tenant_id() = ANY (enterprises)) OR app_tenant_kind() = 'office' AND division_inside_any(app_division_code(), origins) OR app_sees_all());
CREATE POLICY worker ON drive TO recruitment_worker
    USING (true) WITH CHECK (true);

ALTER TABLE vacancy ENABLE ROW LEVEL SECURITY;
ALTER TABLE vacancy FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON vacancy TO recruitment_worker;
GRANT SELECT ON vacancy TO recruitment_api;
CREATE POLICY caller ON vacancy FOR SELECT TO recruitment_api
    USING (enterprise_id = app_tenant_id() OR app_sees_all());
CREATE POLICY worker ON vacancy TO recruitment_worker
    USING (true) WITH CHECK (true);

ALTER TABLE batch ENABLE ROW LEVEL SECURITY;
ALTER TABLE batch FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON batch TO recruitment_worker;
GRANT SELECT ON batch TO recruitment_api;
CREATE POLICY caller ON batch FOR SELECT TO recruitment_api
    USING (false OR app_sees_all());
CREATE POLICY worker ON batch TO recruitment_worker
    USING (true) WITH CHECK (true);

ALTER TABLE erased_worker ENABLE ROW LEVEL SECURITY;
ALTER TABLE erased_worker FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON erased_worker TO recruitment_worker;
GRANT SELECT ON erased_worker TO recruitment_api;
CREATE POLICY caller ON erased_worker FOR SELECT TO recruitment_api
    USING (false OR app_sees_all());
CREATE POLICY worker ON erased_worker TO recruitment_worker
    USING (true) WITH CHECK (true);

ALTER TABLE nomination ENABLE ROW LEVEL SECURITY;
ALTER TABLE nomination FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON nomination TO recruitment_worker;
GRANT SELECT ON nomination TO recruitment_api;
CREATE POLICY caller ON nomination FOR SELECT TO recruitment_api
    USING (office_id = app_tenant_id() OR app_sees_all());
CREATE POLICY worker ON nomination TO recruitment_worker
    USING (true) WITH CHECK (true);

ALTER TABLE offer ENABLE ROW LEVEL SECURITY;
ALTER TABLE offer FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON offer TO recruitment_worker;
GRANT SELECT ON offer TO recruitment_api;
CREATE POLICY caller ON offer FOR SELECT TO recruitment_api
    USING (office_id = app_tenant_id() OR enterprise_id = app_tenant_id() OR app_sees_all());
CREATE POLICY worker ON offer TO recruitment_worker
    USING (true) WITH CHECK (true);

ALTER TABLE placement ENABLE ROW LEVEL SECURITY;
ALTER TABLE placement FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON placement TO recruitment_worker;
GRANT SELECT ON placement TO recruitment_api;
CREATE POLICY caller ON placement FOR SELECT TO recruitment_api
    USING (office_id = app_tenant_id() OR enterprise_id = app_tenant_id() OR app_sees_all());
CREATE POLICY worker ON placement TO recruitment_worker
    USING (true) WITH CHECK (true);

ALTER TABLE retention_check ENABLE ROW LEVEL SECURITY;
ALTER TABLE retention_check FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON retention_check TO recruitment_worker;
GRANT SELECT ON retention_check TO recruitment_api;
CREATE POLICY caller ON retention_check FOR SELECT TO recruitment_api
    USING (office_id = app_tenant_id() OR enterprise_id = app_tenant_id() OR app_sees_all());
CREATE POLICY worker ON retention_check TO recruitment_worker
    USING (true) WITH CHECK (true);

ALTER TABLE retention_answer ENABLE ROW LEVEL SECURITY;
ALTER TABLE retention_answer FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON retention_answer TO recruitment_worker;
GRANT SELECT ON retention_answer TO recruitment_api;
CREATE POLICY caller ON retention_answer FOR SELECT TO recruitment_api
    USING (office_id = app_tenant_id() OR enterprise_id = app_tenant_id() OR app_sees_all());
CREATE POLICY worker ON retention_answer TO recruitment_worker
    USING (true) WITH CHECK (true);

ALTER TABLE match_due ENABLE ROW LEVEL SECURITY;
ALTER TABLE match_due FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON match_due TO recruitment_worker;
GRANT SELECT ON match_due TO recruitment_api;
CREATE POLICY caller ON match_due FOR SELECT TO recruitment_api
    USING (false OR app_sees_all());
CREATE POLICY worker ON match_due TO recruitment_worker
    USING (true) WITH CHECK (true);

ALTER TABLE match_round ENABLE ROW LEVEL SECURITY;
ALTER TABLE match_round FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON match_round TO recruitment_worker;
GRANT SELECT ON match_round TO recruitment_api;
CREATE POLICY caller ON match_round FOR SELECT TO recruitment_api
    USING (false OR app_sees_all());
CREATE POLICY worker ON match_round TO recruitment_worker
    USING (true) WITH CHECK (true);

ALTER TABLE match_review ENABLE ROW LEVEL SECURITY;
ALTER TABLE match_review FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE, DELETE ON match_review TO recruitment_worker;
GRANT SELECT ON match_review TO recruitment_api;
CREATE POLICY caller ON match_review FOR SELECT TO recruitment_api
    USING (office_id = app_tenant_id() OR app_sees_all());
CREATE POLICY worker ON match_review TO recruitment_worker
    USING (true) WITH CHECK (true);

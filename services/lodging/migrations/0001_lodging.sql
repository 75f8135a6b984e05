-- Programmes, inns, what was heard, stays, and who has which bed on which nights.
CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TABLE programme (
    code text PRIMARY KEY CHECK (code <> ''),
    rule_version integer NOT NULL
);
INSERT INTO programme VALUES ('YOUJIA', 1);
CALL protect('programme', 'true');

-- Each version of a programme's rules; decisions name theirs.
CREATE TABLE programme_rule (
    code text NOT NULL REFERENCES programme,
    rule_version integer NOT NULL CHECK (rule_version > 0),
    hire_window_days integer NOT NULL CHECK (hire_window_days >= 0),
    night_cap integer NOT NULL CHECK (night_cap > 0),
    hold_minutes integer NOT NULL CHECK (hold_minutes > 0),
    cut_off time NOT NULL,
    priorities jsonb NOT NULL DEFAULT '[]',
    valid_since timestamptz NOT NULL,
    PRIMARY KEY (code, rule_version)
);
INSERT INTO programme_rule VALUES ('YOUJIA', 1, 90, 15, 30, '22:00', '[]', '2024-01-01T00:00:00+08');
CALL protect('programme_rule', 'true');

CREATE TABLE inn (
    inn_id uuid PRIMARY KEY,
    name text NOT NULL,
    town text NOT NULL,
    division_code text NOT NULL,
    -- Empty: guests of every programme.
    programmes text[] NOT NULL DEFAULT '{}',
    opened_at timestamptz NOT NULL
);
CALL protect('inn', 'true');
CREATE TABLE room (
    room_id uuid PRIMARY KEY,
    inn_id uuid NOT NULL REFERENCES inn,
    name text NOT NULL,
    UNIQUE (inn_id, name)
);
CALL protect('room', 'true');
CREATE TABLE bed (
    bed_id uuid PRIMARY KEY,
    inn_id uuid NOT NULL REFERENCES inn,
    room_id uuid NOT NULL REFERENCES room,
    name text NOT NULL,
    UNIQUE (room_id, name)
);
CREATE INDEX bed_inn ON bed (inn_id);
CALL protect('bed', 'true');
CREATE TABLE out_of_service (
    period_id uuid PRIMARY KEY,
    bed_id uuid NOT NULL REFERENCES bed,
    inn_id uuid NOT NULL REFERENCES inn,
    nights daterange NOT NULL CHECK (NOT isempty(nights)),
    reason text NOT NULL,
    ended_at timestamptz
);
CREATE INDEX out_of_service_inn ON out_of_service (inn_id) WHERE ended_at IS NULL;
CALL protect('out_of_service', 'inn_id = ANY (app_inn_ids())');

CREATE TABLE key_enterprise (
    uscc text PRIMARY KEY,
    name text NOT NULL,
    credit_level text NOT NULL CHECK (credit_level IN ('A', 'B', 'C', 'revoked')),
    valid_from date NOT NULL,
    valid_to date CHECK (valid_to >= valid_from),
    changed_at timestamptz NOT NULL
);
CALL protect('key_enterprise',
    'uscc = (SELECT t.uscc FROM tenant t WHERE t.tenant_id = app_tenant_id())');

-- Why an enterprise's level is what it is: every change, and every breach that led to one.
CREATE TABLE credit_change (
    credit_change_id uuid PRIMARY KEY,
    uscc text NOT NULL,
    enterprise_id uuid,
    from_level text,
    level text NOT NULL,
    reason text NOT NULL,
    changed_at timestamptz NOT NULL
);
CREATE INDEX credit_change_uscc ON credit_change (uscc, changed_at);
CALL protect('credit_change', 'enterprise_id = app_tenant_id()');
CREATE TABLE credit_breach (
    stay_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('no_show', 'overstay')),
    enterprise_id uuid NOT NULL,
    at timestamptz NOT NULL,
    -- Counted in a change of the level already.
    spent boolean NOT NULL DEFAULT false,
    PRIMARY KEY (stay_id, kind)
);
CREATE INDEX credit_breach_enterprise ON credit_breach (enterprise_id) WHERE NOT spent;
CALL protect('credit_breach', 'enterprise_id = app_tenant_id()');

CREATE TABLE credit_commitment (
    credit_commitment_id uuid PRIMARY KEY,
    enterprise_id uuid NOT NULL,
    programme text NOT NULL REFERENCES programme,
    state text NOT NULL CHECK (state IN ('standing', 'withdrawn')),
    given_at timestamptz NOT NULL,
    withdrawn_at timestamptz
);
-- One standing commitment per enterprise and programme.
CREATE UNIQUE INDEX credit_commitment_standing ON credit_commitment (enterprise_id, programme)
    WHERE state = 'standing';
CALL protect('credit_commitment', 'enterprise_id = app_tenant_id()');

-- What was heard. Rows may come in any order, so nothing here refers to another table.
CREATE TABLE erased_worker (worker_id uuid PRIMARY KEY);
CALL protect('erased_worker', 'false');
CREATE TABLE hire (
    hire_id uuid PRIMARY KEY,
    worker_id uuid NOT NULL,
    enterprise_id uuid NOT NULL,
    hired_on date NOT NULL,
    gender text NOT NULL,
    town text,
    division_code text
);
CREATE INDEX hire_worker ON hire (worker_id);
CALL protect('hire', 'false');
CREATE TABLE placement (
    placement_id uuid PRIMARY KEY,
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
    priority integer NOT NULL
);
CREATE INDEX placement_worker ON placement (worker_id);
CREATE INDEX placement_group ON placement (group_id) WHERE group_id IS NOT NULL;
CALL protect('placement', 'false');
-- Placements that were cancelled or have ended; the row may come before the placement's own.
CREATE TABLE placement_end (placement_id uuid PRIMARY KEY);
CALL protect('placement_end', 'false');
CREATE TABLE booking (
    booking_id uuid PRIMARY KEY,
    worker_id uuid NOT NULL,
    placement_id uuid,
    state text NOT NULL
        CHECK (state IN ('pooled', 'booked', 'released', 'boarded', 'missed', 'handed_over')),
    arrives_at timestamptz,
    reason text,
    rebooked_as uuid
);
CREATE INDEX booking_worker ON booking (worker_id);
CALL protect('booking', 'false');
-- Persons about whom something was heard since their stays were last looked at. Only ever appended to, so that a
-- note is never lost between two transactions that don't see each other.
CREATE TABLE unsettled (
    unsettled_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    worker_id uuid NOT NULL,
    cause_id uuid
);
CALL protect('unsettled', 'false');

CREATE TABLE stay_request (
    stay_request_id uuid PRIMARY KEY,
    enterprise_id uuid NOT NULL,
    programme text NOT NULL,
    check_in_on date NOT NULL,
    nights integer NOT NULL CHECK (nights > 0),
    together boolean NOT NULL,
    wait boolean NOT NULL,
    inn_id uuid,
    requested_at timestamptz NOT NULL
);
CREATE INDEX stay_request_enterprise ON stay_request (enterprise_id, stay_request_id);
CALL protect('stay_request', 'enterprise_id = app_tenant_id()');

CREATE TABLE stay (
    stay_id uuid PRIMARY KEY,
    origin text NOT NULL CHECK (origin IN ('placement', 'direct')),
    worker_id uuid NOT NULL,
    gender text,
    enterprise_id uuid NOT NULL,
    check_in_on date NOT NULL,
    check_out_on date NOT NULL CHECK (check_out_on >= check_in_on),
    requested_at timestamptz NOT NULL,
    state text NOT NULL,
    office_id uuid,
    placement_id uuid,
    nomination_id uuid,
    hire_id uuid,
    booking_id uuid,
    stay_request_id uuid,
    journey_id uuid,
    -- Said at least once; a guest nobody has heard of isn't spoken of yet.
    announced boolean NOT NULL,
    programme text,
    rule_version integer NOT NULL,
    -- As the placement or request named it; NULL: the enterprise's own programme.
    programme_asked text,
    -- NULL: what the person's cap leaves.
    nights_asked integer,
    wait boolean NOT NULL,
    wanted_inn_id uuid,
    group_id uuid,
    group_size integer NOT NULL,
    family_id uuid,
    town text,
    division_code text,
    priority integer NOT NULL,
    -- Real time since when it may be decided.
    ready_at timestamptz,
    passed_count integer NOT NULL,
    inn_id uuid,
    bed_id uuid,
    -- The arrival that the dates were last set by; a late decision may have moved them on from it.
    arrival_on date,
    expected_at timestamptz,
    cut_off_at timestamptz,
    expires_at timestamptz,
    town_missing boolean NOT NULL,
    reason text,
    rule text,
    -- The rules asked and their answers, as they stood in rule_version.
    decision jsonb NOT NULL,
    decided_at timestamptz,
    granted_nights integer NOT NULL,
    given_back_nights integer NOT NULL,
    checked_in_at timestamptz,
    checked_out_at timestamptz,
    missed_at timestamptz,
    overstayed_at timestamptz,
    -- Where the guest goes from here, and when the house was told that nobody has said so.
    next_home text CHECK (next_home IN ('long_stay_home', 'dormitory', 'own', 'home_region', 'other')),
    next_home_asked_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((bed_id IS NULL) = (inn_id IS NULL))
);
-- One live stay per placement, whatever is heard how often.
CREATE UNIQUE INDEX stay_of_placement ON stay (placement_id)
    WHERE origin = 'placement' AND state IN ('requested', 'waitlisted', 'held', 'confirmed', 'checked_in');
CREATE INDEX stay_worker ON stay (worker_id);
CREATE INDEX stay_placement ON stay (placement_id);
CREATE INDEX stay_inn ON stay (inn_id, check_in_on);
CREATE INDEX stay_enterprise ON stay (enterprise_id, stay_id);
CREATE INDEX stay_office ON stay (office_id, stay_id);
CREATE INDEX stay_group ON stay (group_id) WHERE group_id IS NOT NULL;
CREATE INDEX stay_undecided ON stay (state, ready_at) WHERE state IN ('requested', 'waitlisted');
CREATE INDEX stay_hold ON stay (expires_at) WHERE state = 'held';
CREATE INDEX stay_cut_off ON stay (cut_off_at) WHERE state = 'confirmed';
CREATE INDEX stay_in_house ON stay (check_out_on) WHERE state = 'checked_in';
CREATE INDEX stay_elsewhere ON stay (stay_id) WHERE town_missing;
CALL protect('stay',
    'enterprise_id = app_tenant_id() OR office_id = app_tenant_id() OR inn_id = ANY (app_inn_ids())');

-- Who has which bed on which nights: the rows of stays that hold one, used nights included. A stay that moves from
-- bed to bed has several.
CREATE TABLE occupancy (
    stay_id uuid NOT NULL,
    bed_id uuid NOT NULL REFERENCES bed,
    room_id uuid NOT NULL,
    inn_id uuid NOT NULL,
    worker_id uuid NOT NULL,
    gender text NOT NULL CHECK (gender IN ('female', 'male')),
    -- The stay's own id for who came without a family.
    family_id uuid NOT NULL,
    nights daterange NOT NULL CHECK (NOT isempty(nights)),
    PRIMARY KEY (stay_id, nights),
    -- Never two guests in a bed.
    CONSTRAINT occupancy_bed EXCLUDE USING gist (bed_id WITH =, nights WITH &&),
    -- Never one guest in two beds.
    CONSTRAINT occupancy_worker EXCLUDE USING gist (worker_id WITH =, nights WITH &&),
    -- Never two genders in a room on a night, families aside.
    CONSTRAINT occupancy_gender EXCLUDE USING gist (
        room_id WITH =, nights WITH &&, (CASE gender WHEN 'male' THEN 1 ELSE 0 END) WITH <>, family_id WITH <>)
);
CREATE INDEX occupancy_inn ON occupancy (inn_id);
CALL protect('occupancy', 'inn_id = ANY (app_inn_ids())');

-- The single writer's lock: whoever gives or takes beds holds this row. `freed`: a night became free since the
-- waitlist was last asked.
CREATE TABLE allocation (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    freed boolean NOT NULL DEFAULT false
);
INSERT INTO allocation DEFAULT VALUES;
CALL protect('allocation', 'false');

-- Drives, vacancies, who is nominated, offers, placements, and what the matching rounds decided.

-- '530900' is inside '530000': a division's code without its trailing pairs of zeros begins the other's.
CREATE FUNCTION division_inside(inner_code text, outer_code text) RETURNS boolean LANGUAGE sql IMMUTABLE
    AS $$ SELECT inner_code <> '' AND starts_with(inner_code, regexp_replace(outer_code, '(00){1,2}$', '')) $$;
CREATE FUNCTION division_inside_any(inner_code text, outer_codes text[]) RETURNS boolean LANGUAGE sql IMMUTABLE
    AS $$ SELECT EXISTS (SELECT 1 FROM unnest(outer_codes) AS o (code) WHERE division_inside(inner_code, o.code)) $$;

CREATE TABLE drive (
    drive_id uuid PRIMARY KEY,
    title text NOT NULL,
    kind text NOT NULL,
    origins text[] NOT NULL,
    enterprises uuid[] NOT NULL,
    opens_on date NOT NULL,
    closes_on date NOT NULL,
    acceptance text NOT NULL CHECK (acceptance IN ('on_nomination', 'by_office', 'by_worker')),
    runs_transport boolean NOT NULL,
    priority smallint NOT NULL CHECK (priority BETWEEN 0 AND 9),
    state text NOT NULL CHECK (state IN ('announced', 'open', 'closed')),
    announced_at timestamptz NOT NULL
);
CALL protect('drive', $p$
    app_tenant_id() = ANY (enterprises)
    OR (app_tenant_kind() = 'office' AND division_inside_any(app_division_code(), origins))
$p$);

CREATE TABLE vacancy (
    vacancy_id uuid PRIMARY KEY,
    drive_id uuid NOT NULL REFERENCES drive,
    enterprise_id uuid NOT NULL,
    site jsonb NOT NULL,
    title text NOT NULL,
    occupation_code text NOT NULL,
    openings integer NOT NULL CHECK (openings > 0),
    starts_on date NOT NULL,
    monthly_pay_min integer NOT NULL,
    monthly_pay_max integer NOT NULL CHECK (monthly_pay_max >= monthly_pay_min),
    requirements jsonb NOT NULL,
    programme text,
    nights smallint,
    state text NOT NULL CHECK (state IN ('posted', 'filled', 'withdrawn')),
    posted_at timestamptz NOT NULL,
    -- Openings in use: by open offers, by accepted ones that wait for their group, by placements.
    taken_count integer NOT NULL DEFAULT 0,
    placed_count integer NOT NULL DEFAULT 0,
    -- The last line against over-offering; commands take openings by a conditional update before it.
    CONSTRAINT vacancy_openings CHECK (placed_count >= 0 AND placed_count <= taken_count AND taken_count <= openings)
);
CREATE INDEX vacancy_drive ON vacancy (drive_id);
CREATE INDEX vacancy_enterprise ON vacancy (enterprise_id);
CALL protect('vacancy', 'enterprise_id = app_tenant_id()');

CREATE TABLE batch (
    batch_id uuid PRIMARY KEY,
    nominated_count integer NOT NULL,
    -- Set when the last of them was heard: the roster is whole.
    complete boolean NOT NULL DEFAULT false
);
CALL protect('batch', 'false');

-- The tombstone of a person: what was heard of them, or will be, is dropped.
CREATE TABLE erased_worker (
    worker_id uuid PRIMARY KEY,
    erased_at timestamptz NOT NULL
);
CALL protect('erased_worker', 'false');

CREATE TABLE nomination (
    nomination_id uuid PRIMARY KEY,
    worker_id uuid NOT NULL,
    office_id uuid NOT NULL,
    batch_id uuid NOT NULL,
    -- The drive that the roster named; `drive_id` is the one it takes part in (also the origin's only open one).
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
    -- False once the person goes on without the group.
    in_group boolean NOT NULL,
    state text NOT NULL CHECK (state IN
        ('waiting', 'offered', 'accepted', 'placed', 'set_aside', 'closed', 'ended')),
    end_reason text,
    unplaced_reason text,
    nearest_miss jsonb,
    skip_count integer NOT NULL DEFAULT 0,
    -- Counts the changes of what matching looks at, steps included: a round applies only to what it has seen.
    version integer NOT NULL DEFAULT 1,
    nominated_at timestamptz NOT NULL
);
CREATE INDEX nomination_worker ON nomination (worker_id);
CREATE INDEX nomination_office ON nomination (office_id);
CREATE INDEX nomination_batch ON nomination (batch_id);
CREATE INDEX nomination_group ON nomination (group_id) WHERE group_id IS NOT NULL;
CREATE INDEX nomination_drive ON nomination (drive_id, state);
CREATE INDEX nomination_waiting ON nomination (nomination_id) WHERE state = 'waiting' AND drive_id IS NULL;
CALL protect('nomination', 'office_id = app_tenant_id()');

CREATE TABLE offer (
    offer_id uuid PRIMARY KEY,
    nomination_id uuid NOT NULL REFERENCES nomination,
    worker_id uuid NOT NULL,
    office_id uuid NOT NULL,
    enterprise_id uuid NOT NULL,
    drive_id uuid NOT NULL REFERENCES drive,
    vacancy_id uuid NOT NULL REFERENCES vacancy,
    -- The offers of one group in one round have one set: all of them are accepted, or none counts.
    group_id uuid,
    set_id uuid,
    round integer NOT NULL,
    acceptance text NOT NULL,
    -- What was offered, as it was then: title, site, pay, start.
    terms jsonb NOT NULL,
    state text NOT NULL CHECK (state IN ('made', 'accepted', 'declined', 'expired', 'withdrawn')),
    -- True from acceptance until the group is whole, or breaks.
    pending boolean NOT NULL DEFAULT false,
    made_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    answered_at timestamptz,
    reason text,
    CHECK (NOT pending OR state = 'accepted'),
    CHECK ((set_id IS NULL) = (group_id IS NULL))
);
-- A person has one open offer of a vacancy.
CREATE UNIQUE INDEX offer_open ON offer (nomination_id, vacancy_id) WHERE state = 'made' OR pending;
CREATE INDEX offer_pair ON offer (nomination_id, vacancy_id);
CREATE INDEX offer_set ON offer (set_id) WHERE set_id IS NOT NULL;
CREATE INDEX offer_vacancy ON offer (vacancy_id) WHERE state = 'made' OR pending;
CREATE INDEX offer_drive ON offer (drive_id);
CREATE INDEX offer_expiry ON offer (expires_at) WHERE state = 'made';
CALL protect('offer', 'office_id = app_tenant_id() OR enterprise_id = app_tenant_id()');

CREATE TABLE placement (
    placement_id uuid PRIMARY KEY,
    offer_id uuid NOT NULL UNIQUE REFERENCES offer,
    nomination_id uuid NOT NULL REFERENCES nomination,
    worker_id uuid NOT NULL,
    gender text NOT NULL,
    office_id uuid NOT NULL,
    enterprise_id uuid NOT NULL,
    drive_id uuid NOT NULL REFERENCES drive,
    vacancy_id uuid NOT NULL REFERENCES vacancy,
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
    state text NOT NULL CHECK (state IN ('confirmed', 'started', 'cancelled', 'ended')),
    reason text,
    decided_by text,
    started_on date,
    ended_on date,
    confirmed_at timestamptz NOT NULL,
    -- What the others told about the way there; the last told counts, in the order it was said.
    travel text,
    travel_at timestamptz,
    lodging text,
    lodging_at timestamptz
);
-- A nomination leads to one job at a time, whatever races.
CREATE UNIQUE INDEX placement_live ON placement (nomination_id) WHERE state IN ('confirmed', 'started');
CREATE INDEX placement_worker ON placement (worker_id);
CREATE INDEX placement_drive ON placement (drive_id);
CREATE INDEX placement_office ON placement (office_id);
CREATE INDEX placement_enterprise ON placement (enterprise_id);
CALL protect('placement', 'office_id = app_tenant_id() OR enterprise_id = app_tenant_id()');

CREATE TABLE retention_check (
    retention_check_id uuid PRIMARY KEY,
    placement_id uuid NOT NULL REFERENCES placement,
    office_id uuid NOT NULL,
    enterprise_id uuid NOT NULL,
    milestone_months smallint NOT NULL CHECK (milestone_months > 0),
    due_on date NOT NULL,
    state text NOT NULL CHECK (state IN ('scheduled', 'due', 'answered', 'dropped')),
    UNIQUE (placement_id, milestone_months)
);
CREATE INDEX retention_check_due ON retention_check (due_on) WHERE state = 'scheduled';
CALL protect('retention_check', 'office_id = app_tenant_id() OR enterprise_id = app_tenant_id()');

-- Every answer stays; a later one corrects an earlier one and both keep their dates.
CREATE TABLE retention_answer (
    answer_id uuid PRIMARY KEY,
    retention_check_id uuid NOT NULL REFERENCES retention_check,
    office_id uuid NOT NULL,
    enterprise_id uuid NOT NULL,
    result text NOT NULL CHECK (result IN ('retained', 'left', 'unknown')),
    answered_on date NOT NULL,
    answered_by text NOT NULL,
    corrects uuid REFERENCES retention_answer,
    recorded_at timestamptz NOT NULL
);
CREATE INDEX retention_answer_check ON retention_answer (retention_check_id, answer_id);
CALL protect('retention_answer', 'office_id = app_tenant_id() OR enterprise_id = app_tenant_id()');

-- Something changed that a round must look at; insert-only, so that nobody waits for a round in progress.
-- Without a drive: nominations that named none. Real time.
CREATE TABLE match_due (
    match_due_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    drive_id uuid,
    due_at timestamptz NOT NULL
);
CREATE INDEX match_due_at ON match_due (due_at);
CALL protect('match_due', 'false');

-- What a round decided, and on what grounds; equity is the points of each office in it.
CREATE TABLE match_round (
    drive_id uuid NOT NULL REFERENCES drive,
    round integer NOT NULL,
    matched_at timestamptz NOT NULL,
    candidate_count integer NOT NULL,
    offered_count integer NOT NULL,
    unplaced_count integer NOT NULL,
    score_total bigint NOT NULL,
    score_bound bigint NOT NULL,
    equity jsonb NOT NULL,
    PRIMARY KEY (drive_id, round)
);
CALL protect('match_round', 'false');

-- A person's review of a pair: `exclude` keeps rounds from offering it, `prefer` adds points.
CREATE TABLE match_review (
    nomination_id uuid NOT NULL REFERENCES nomination,
    vacancy_id uuid NOT NULL REFERENCES vacancy,
    office_id uuid NOT NULL,
    decision text NOT NULL CHECK (decision IN ('exclude', 'prefer')),
    reviewed_at timestamptz NOT NULL,
    PRIMARY KEY (nomination_id, vacancy_id)
);
CALL protect('match_review', 'office_id = app_tenant_id()');

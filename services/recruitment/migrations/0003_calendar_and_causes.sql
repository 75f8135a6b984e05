-- True when a drive's own date made its last step, and no person.
ALTER TABLE drive ADD COLUMN by_calendar boolean NOT NULL DEFAULT false;
CREATE INDEX drive_dates ON drive (opens_on, closes_on) WHERE state <> 'closed';

-- The event that made a nomination wait, or a round due: the cause of what the round says. Taken away once it has
-- been spoken with, for afterwards something else is the cause.
ALTER TABLE nomination ADD COLUMN cause_id uuid;
ALTER TABLE match_due ADD COLUMN cause_id uuid;

-- What offices report: who started where, and when; an office counts its own people, nobody else's.

ALTER TABLE heard_placement
    ADD COLUMN origin_division_code text,
    ADD COLUMN site_division_code text,
    ADD COLUMN started_on date;
CREATE INDEX heard_placement_started ON heard_placement (office_id, started_on) WHERE started_on IS NOT NULL;
ALTER POLICY caller ON heard_placement USING (office_id = app_tenant_id() OR app_sees_all());

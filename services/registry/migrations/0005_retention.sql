-- Who is still at work after some months counts for the day the question was due; a later answer corrects it.

ALTER TABLE heard_retention ADD COLUMN due_on date;
-- What was heard before was answered about then; the topic has the day itself.
UPDATE heard_retention SET due_on = answered_on;
-- An office sees the answers about its own placements, which are those that it sees.
ALTER POLICY caller ON heard_retention USING (EXISTS (
    SELECT FROM heard_placement p WHERE p.placement_id = heard_retention.placement_id));

-- An inn sees what is to be done about its guests' stays, never about their seats or offers.
UPDATE task SET inn_id = NULL WHERE subject NOT LIKE 'stay/%';

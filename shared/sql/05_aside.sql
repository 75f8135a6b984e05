-- What a large transaction says is set aside until its commit, in a table that it alone has.

DO $$ BEGIN EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO {worker}', current_database()); END $$;

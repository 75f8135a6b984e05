-- The last step of time (30 s) whose code of the second factor was accepted: each code serves once (RFC 6238, 5.2).
ALTER TABLE account ADD COLUMN totp_step bigint;

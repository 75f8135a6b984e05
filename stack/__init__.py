"""PostgreSQL, Kafka and all services on this machine without Docker, and the command line."""

"""The registry: people, batches and nominations; the only place that holds real-name data."""

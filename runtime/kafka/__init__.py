"""The only room of the runtime that imports a Kafka client; everybody else sees columns, entries and our errors."""

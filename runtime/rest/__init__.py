"""HTTP in, commands out: Apache Kafka Connect's REST API (contract 1)."""

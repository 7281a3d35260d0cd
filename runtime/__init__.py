"""A Kafka Connect worker in Python: control flows down from REST to Kafka, records through the pipeline."""

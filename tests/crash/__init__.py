"""Each promise with a test that kills a process at its worst moment, on Apache Kafka."""

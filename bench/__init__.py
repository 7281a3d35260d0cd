"""How fast we are, compared with Apache Kafka Connect on the same machine in the same run."""

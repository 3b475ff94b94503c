"""Events between services: the outbox, the relay to Kafka, and consumers with an inbox."""

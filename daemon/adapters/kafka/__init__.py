"""Kafka behind the ports Source and Publisher, and an in-memory stand-in for tests."""

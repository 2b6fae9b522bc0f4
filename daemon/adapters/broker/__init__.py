"""Brokers that this program can run by itself, on loopback: tansu in memory, or Apache Kafka on disk."""

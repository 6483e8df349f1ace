"""The store behind the ports: streams, schedule and ledger on a Redis or Valkey server, or in memory."""

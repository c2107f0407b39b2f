"""What box and centre must agree on. Start with `messages`, then `records` (signed), `outbox` and `publisher`."""

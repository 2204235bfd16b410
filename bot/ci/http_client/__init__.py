"""The HTTP client of every CI service: deadlines, retries of idempotent requests, redaction."""

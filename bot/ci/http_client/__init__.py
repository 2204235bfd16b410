"""The HTTP client of every CI service: deadlines, retries of reads only, redaction."""

"""CodeShip's v1 API behind `CIProvider`: `api` parses and is pure, `client` does the I/O."""

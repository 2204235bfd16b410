"""CodeShip's v1 API behind `CIProvider`: `api` is pure, `client` does the calls."""

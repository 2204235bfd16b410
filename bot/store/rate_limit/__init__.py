"""The rate limit of each CI service, counted for one process or for several that share a database."""

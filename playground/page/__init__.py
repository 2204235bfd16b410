"""The playground's page: what it is served and what its buttons do."""

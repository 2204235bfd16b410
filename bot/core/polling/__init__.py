"""When a followed build is fetched again, and what a result changes."""

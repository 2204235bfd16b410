"""GitHub's API over HTTP: who asks, each call, its pages and its errors."""

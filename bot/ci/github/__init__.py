"""GitHub Actions behind `CIProvider`: pure modules for the API, the client, authentication, the webhook."""

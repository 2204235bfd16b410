"""Slack and CodeShip as the benchmark needs them: processes of their own, lean, that count every call and stamp it."""

"""What channels subscribe to, what changed in a branch, and what is due because of it. Values; pure."""

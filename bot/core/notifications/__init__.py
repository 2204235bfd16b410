"""What channels hear of their own accord: what changed on a branch, and who is told."""

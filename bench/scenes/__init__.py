"""What is measured, scene by scene: each starts what it needs, writes raw samples, and decides nothing about them."""

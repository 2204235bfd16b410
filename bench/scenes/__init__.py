"""The measurements, scene by scene. Each starts what it needs and writes raw samples, without judging them."""

"""What operators can see; subscribes, and is in nobody's way."""

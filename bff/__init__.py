"""The composition root: who asks, what is built, how it is served."""

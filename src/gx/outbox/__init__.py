"""The write path: commands accepted once, and submitted until they are settled."""

"""From an image to a stick: which one is meant, writing, reading back, what is put beside it."""

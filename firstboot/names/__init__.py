"""Under which name and address the box is reached, and what is wrong with it, said in sentences."""
